"""`make run`'s program as a person runs it: real ports, real servers, real signals."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.embedded import home, server
from db.embedded.local_secrets import secret
from db.environment import PROJECT
from services.entrypoints import launcher
from services.entrypoints.child_process import Child
from services.entrypoints.ordinary_user import WEB_ACCOUNTS, OrdinaryUser, find_user, why_it_cannot
from tests.support.databases import MakeCluster

pytestmark = pytest.mark.slow


class Run:
    """One `python -m services.portal` in a process group of its own, as a terminal would start it."""

    def __init__(self, folder: Path, *, python: str = sys.executable, **environment: str) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self.log = folder / f"log {self.port}"
        inherited = {
            key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SMTP_URL")
        }
        ours = {"ESUPPORT_DATA": str(self.data_dir), "PORT": str(self.port), "ESUPPORT_DEMO": "0"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-m", "services.portal"],
                cwd=PROJECT,
                env=inherited | ours | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def until_up(self) -> "Run":
        until(lambda: "The portal is at" in self.output or self.process.poll() is not None, 90)
        assert self.process.poll() is None, self.output
        with urllib.request.urlopen(f"http://localhost:{self.port}/", timeout=20) as answer:
            assert answer.status == 200
        return self

    def children(self) -> dict[str, int]:
        """The pids of its own programs by the module they run."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [int(pid) for pid in task.read_text().split()]
        return {Path(f"/proc/{pid}/cmdline").read_text().split("\0")[2]: pid for pid in pids}

    def signal_group(self, number: int) -> int:
        """As the terminal does it: the signal goes to the whole foreground group. Returns the exit status."""
        os.killpg(self.process.pid, number)
        return self.process.wait(40)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="esupport run ", dir="/tmp"))
    path.chmod(0o711)  # the database's account has to pass through when root runs the tests
    yield path
    server.stop(path / "data")
    shutil.rmtree(path)


@pytest.fixture
def used(folder: Path, new_cluster: MakeCluster) -> Path:
    """A folder whose portal ran before and made its cluster."""
    new_cluster(folder / "data")
    return folder


def test_ctrl_c_ends_everything_and_the_second_run_finds_the_demo_again(folder: Path) -> None:
    first = Run(folder, ESUPPORT_DEMO="1").until_up()
    children = first.children()
    assert "streamlit" in children
    assert first.signal_group(signal.SIGINT) == 0
    assert "Traceback" not in first.output
    assert "demo data" in first.output
    assert "admin@demo.example" in first.output
    assert "demo-Portal-1" in first.output
    assert not any(is_alive(pid) for pid in children.values())
    assert not server.is_running(folder / "data")

    began = time.monotonic()
    second = Run(folder, ESUPPORT_DEMO="1").until_up()
    assert time.monotonic() - began < 30
    assert "demo data" not in second.output
    until(lambda: "admin@demo.example" in second.output)
    assert second.signal_group(signal.SIGTERM) == 0
    assert "Traceback" not in second.output
    assert not server.is_running(folder / "data")


def test_killed_portal_leaves_no_server_and_the_next_one_takes_over(used: Path) -> None:
    first = Run(used).until_up()
    children = first.children()
    first.process.kill()
    first.process.wait()
    until(lambda: not any(is_alive(pid) for pid in children.values()), 5)
    assert server.is_running(used / "data")

    second = Run(used, PORT=str(first.port))
    second.port = first.port
    second.until_up()
    assert "admin@demo.example" not in second.output  # ESUPPORT_DEMO=0
    third = Run(used)
    assert third.process.wait(20) == 1
    assert "running already" in third.output
    assert second.signal_group(signal.SIGHUP) == 0
    assert not server.is_running(used / "data")


def test_death_of_the_web_server_is_said_and_ends_the_portal(used: Path) -> None:
    run = Run(used).until_up()
    os.kill(run.children()["streamlit"], signal.SIGKILL)
    assert run.process.wait(40) == 1
    assert "web server ended by itself" in run.output
    assert "Traceback" not in run.output
    assert not server.is_running(used / "data")


@pytest.mark.parametrize("after", ["Starting the database", "Bringing the database's schema"])
def test_interrupt_during_the_start_is_a_clean_end_too(folder: Path, after: str) -> None:
    run = Run(folder)
    until(lambda: after in run.output)
    assert run.signal_group(signal.SIGINT) == 0
    assert "Traceback" not in run.output
    assert not server.is_running(folder / "data")


def _python_for_everybody() -> tuple[str, dict[str, str]]:
    """An interpreter that accounts other than root can run, if there is one; ours may lie in root's home."""
    packages = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    user = find_user(WEB_ACCOUNTS, taken=())
    for python, more in ((sys.executable, {}), ("/usr/bin/python3", {"PYTHONPATH": packages})):
        check = f"import sys, psycopg; assert sys.version_info[:2] == {sys.version_info[:2]}"
        done = subprocess.run(
            [python, "-c", check],
            env=os.environ | more,
            cwd=PROJECT,
            capture_output=True,
            user=user.uid if user and python != sys.executable else None,
        )
        if user and done.returncode == 0 and (python != sys.executable or _runs(python, user)):
            return python, more
    return sys.executable, {}


def _runs(python: str, user: OrdinaryUser) -> bool:
    try:
        subprocess.run([python, "-c", "import psycopg"], cwd=PROJECT, user=user.uid, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def test_under_root_what_faces_the_network_is_an_ordinary_user(used: Path) -> None:
    python, more = _python_for_everybody()
    run = Run(used, python=python, **more).until_up()
    until(lambda: "services.mail" in run.children())
    accounts = {name: Path(f"/proc/{pid}").stat().st_uid for name, pid in run.children().items()}
    database = home.find_home(run.data_dir).account.uid
    for program, name in (("streamlit", "web server"), ("services.mail", "mail worker")):
        uid = accounts[program]
        if os.geteuid() != 0:
            assert uid == os.geteuid()
        elif uid == 0:
            assert f"The {name} runs as root, for the user" in run.output, "said, and why"
        else:
            assert f"The {name} runs as the user {pwd.getpwuid(uid).pw_name}." in run.output
            assert uid != database
            environment = Path(f"/proc/{run.children()[program]}/environ").read_bytes()
            owner = secret(run.data_dir, "database_superuser").encode()
            assert (owner in environment) is (program == "services.mail"), (
                "the web server does not know the owner"
            )
    if os.geteuid() == 0 and 0 not in accounts.values():
        assert len(set(accounts.values())) == 2, "none may look into the other"
        # A killed portal takes them along, although they are somebody else's.
        children = run.children()
        run.process.kill()
        run.process.wait()
        until(lambda: not any(is_alive(pid) for pid in children.values()), 5)
    else:
        assert run.signal_group(signal.SIGTERM) == 0


def test_an_interpreter_in_roots_home_is_said_and_not_an_end(folder: Path) -> None:
    """What the check finds out is the machine's own answer."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("x")
    user = find_user(WEB_ACCOUNTS, taken=())
    if os.geteuid() != 0:
        assert user is None
        return
    assert user is not None and user.uid != 0
    other = find_user(WEB_ACCOUNTS, taken=(user.uid,))
    assert other is None or other.uid != user.uid
    assert find_user(("no-such-account", "root"), taken=()) is None
    refused = why_it_cannot(user, f"open({str(closed / 'file')!r})", dict(os.environ))
    assert refused is not None and "PermissionError" in refused


def test_taken_port_is_said_before_anything_is_made(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        run = Run(folder, PORT=str(port))
        assert run.process.wait(20) == 1
    assert run.output == f"Port {port} is taken by another program; set PORT to a free one.\n"
    assert not run.data_dir.exists()


def test_unusable_setting_is_a_sentence(folder: Path) -> None:
    run = Run(folder, SMTP_URL="mail.example.com")
    assert run.process.wait(20) == 1
    assert run.output.startswith("SMTP_URL must be")
    assert "Traceback" not in run.output


def test_worker_that_keeps_ending_is_restarted_with_growing_pauses() -> None:
    starts: list[float] = []

    class Stop:
        """Asks for the stop at the worker's third start."""

        @property
        def is_set(self) -> bool:
            if worker.started_at and worker.started_at not in starts:
                starts.append(worker.started_at)
            return len(starts) == 3

    worker = Child("worker", ["this"])
    web = Child("web server", ["http.server", str(free_port())])
    try:
        web.start()
        worker.start()
        launcher._watch(web, [worker], Stop())  # type: ignore[arg-type]
        assert web.exit_status is None
    finally:
        web.stop()
        worker.stop()
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert pauses[0] >= 1
    assert pauses[1] >= 2
    assert web.exit_status == -signal.SIGTERM
