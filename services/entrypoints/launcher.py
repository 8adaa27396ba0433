"""`python -m services.portal`: the database, the web server and the mail worker, up together and down
together."""

import contextlib
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from db.environment import SettingsError
from db.settings import DatabaseSettings, database_settings
from services.entrypoints.child_process import Child
from services.entrypoints.programs import programs
from services.mail.server_address import check_mail_settings
from services.settings import WebSettings, settings

DEMO_PASSWORD = "demo-Portal-1"  # noqa: S105 - public on purpose, and only demo accounts have it
_LONGEST_PAUSE_SECONDS = 60.0


class CannotRun(Exception):
    """The portal cannot start or continue; the text is a sentence for the person at the terminal."""


class StopRequest:
    """Set by the first SIGINT, SIGTERM or SIGHUP. Further ones change nothing: the portal is stopping already.

    A plain flag that the main loop looks at, since an exception out of a handler could strike in the middle
    of starting the database and leave it running without anybody knowing.
    """

    def __init__(self) -> None:
        self.is_set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup it is
            signal.signal(signal.SIGHUP, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True


def main() -> int:
    """Run the portal until it is told to stop; return the process's exit status."""
    stop = StopRequest()
    try:
        web, database = settings().web, database_settings()
        check_mail_settings()
        _check_port(web.port, "PORT")
        if web.hooks_port is not None:
            _check_port(web.hooks_port, "ESUPPORT_HOOKS_PORT")
        with _database(database) as owner_url:
            return _run(web, owner_url, stop)
    except (CannotRun, SettingsError) as error:
        _say(str(error), error=True)
        return 1


def _run(web_settings: WebSettings, owner_url: str, stop: StopRequest) -> int:
    if not _step("Bringing the database's schema up to date …", ["db", "migrate"], stop):
        return 0
    from db.operations.occupancy import occupancy

    is_embedded = database_settings().database_url is None
    wants_demo = web_settings.demo and is_embedded and occupancy(owner_url).is_empty
    if wants_demo and not _step("Filling the empty database with demo data (once) …", ["db", "demo"], stop):
        return 0
    first_password = _first_administrator()
    web, *workers = children = programs(web_settings.port, web_settings.hooks_port, owner_url, _say)
    try:
        for child in children:
            child.start()
        if _wait_until_it_answers(web, web_settings.port, stop):
            contents = occupancy(owner_url)
            _greet(web_settings.port, contents.demo_accounts, first_password, is_empty=contents.is_empty)
        _watch(web, workers, stop)
    finally:
        _say("Stopping …")
        for child in reversed(children):
            child.stop()
    return 0


def _first_administrator() -> str | None:
    """On a database without any account: create one and return its one-time password."""
    from db.connections.engine import dispose_engines, jobs_transaction
    from services.accounts.creation import create_first_administrator

    try:
        with jobs_transaction() as connection:
            return create_first_administrator(connection)
    finally:
        dispose_engines()


@contextlib.contextmanager
def _database(current: DatabaseSettings) -> Iterator[str]:
    """The owner's address. The embedded server is started for the block and stopped after it, even if it was running
    before.
    """
    if current.database_url is not None:
        yield current.database_url
        return
    from db.embedded import server

    with _claimed(current.data_dir):
        try:
            _say("Starting the database …")
            with _in_sentences():
                url = server.start(current.data_dir).url()
            yield url
        finally:
            with _in_sentences():
                server.stop(current.data_dir)


@contextlib.contextmanager
def _claimed(data_dir: Path) -> Iterator[None]:
    """Keep a second portal off the same data: the one that ended first would stop the database under the other."""
    from db.embedded.local_secrets import make_data_dir, try_lock

    with _in_sentences():
        make_data_dir(data_dir)
        guard = os.open(data_dir / "portal.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not try_lock(guard):
            raise CannotRun(f"A portal is running already with the data in {data_dir}.")
        yield
    finally:
        os.close(guard)


@contextlib.contextmanager
def _in_sentences() -> Iterator[None]:
    from db.embedded.local_secrets import DataFolderError
    from db.embedded.server import EmbeddedDatabaseError

    try:
        yield
    except (EmbeddedDatabaseError, DataFolderError) as error:
        raise CannotRun(str(error)) from error
    except OSError as error:
        raise CannotRun(f"{error.filename}: {error.strerror}.") from error


def _check_port(port: int, variable: str) -> None:
    """Bind the port for an instant, before anything that takes long.

    It retries for a little while: the children of a portal that has just been killed need a moment to end.
    """
    deadline = time.monotonic() + 2.0
    for family, kind, _, _, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
        while True:
            try:
                with socket.socket(family, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(address)
                    probe.listen()
                    break
            except PermissionError as error:
                raise CannotRun(
                    f"This user may not open port {port}; set {variable} to one above 1023."
                ) from error
            except OSError as error:
                # Any other error is an address that this machine has no use for, such as ::1 without IPv6.
                if error.errno != errno.EADDRINUSE:
                    break
                if time.monotonic() > deadline:
                    raise CannotRun(
                        f"Port {port} is taken by another program; set {variable} to a free one."
                    ) from error
            time.sleep(0.1)


def _step(announcement: str, arguments: list[str], stop: StopRequest) -> bool:
    """Run one of the portal's commands to its end; False when a stop was requested while it ran. Raises `CannotRun`."""
    _say(announcement)
    command = Child(arguments[-1], arguments)
    if not stop.is_set:
        command.start()
    while not stop.is_set:
        status = command.exit_status
        if status == 0:
            return True
        if status is not None:
            raise CannotRun(
                f"The portal does not start: python -m {' '.join(arguments)} failed (status {status})."
            )
        time.sleep(0.05)
    command.stop()
    return False


def _wait_until_it_answers(web: Child, port: int, stop: StopRequest) -> bool:
    while not stop.is_set and web.exit_status is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def _watch(web: Child, workers: list[Child], stop: StopRequest) -> None:
    """Supervise the programs; return on a stop request. A worker that ends is started again, after pauses that double
    up to a minute.

    Raises `CannotRun` when the web server ends: a supervisor above us, or a person, has to know.
    """
    pauses = dict.fromkeys((worker.name for worker in workers), 1.0)
    due: dict[str, float] = {}
    while not stop.is_set:
        if (status := web.exit_status) is not None:
            raise CannotRun(f"The web server ended by itself (status {status}), so the portal stops.")
        now = time.monotonic()
        for worker in workers:
            if worker.exit_status is None:
                continue
            if worker.name not in due:
                if now - worker.started_at > _LONGEST_PAUSE_SECONDS:
                    pauses[worker.name] = 1.0
                due[worker.name] = now + pauses[worker.name]
                _say(f"The {worker.name} ended (status {worker.exit_status}); it starts again.", error=True)
                pauses[worker.name] = min(2 * pauses[worker.name], _LONGEST_PAUSE_SECONDS)
            elif now >= due[worker.name]:
                del due[worker.name]
                worker.start()
        time.sleep(0.1)


def _greet(port: int, demo_accounts: tuple[str, ...], first_password: str | None, *, is_empty: bool) -> None:
    _say(f"\nThe portal is at http://localhost:{port}   (Ctrl-C stops it)")
    if demo_accounts:
        _say(f"Demo accounts, all with the password {DEMO_PASSWORD}:")
        for email in demo_accounts:
            _say(f"  {email}")
    if not settings().sign_in.passwords and is_empty:
        _say(
            "There is no account yet. Make yours: .venv/bin/python -m services.accounts create-admin --email …"
        )
    if first_password:
        _say("The first administrator, who sets a password of their own when they sign in (within 72 hours):")
        _say(f"  admin@localhost   one-time password: {first_password}")


def _say(text: str, *, error: bool = False) -> None:
    # The terminal or the pipe may be gone, which must not keep the portal from ending properly.
    stream = sys.stderr if error else sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
