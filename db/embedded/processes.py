"""Running PostgreSQL's programs under the right account, and finding its processes."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """The user and group ids that the server's processes run under."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether this process has to change user to become that account, which only root can."""
        return self.uid != os.geteuid()


def run_as(account: Account, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as that account, in a session of its own, and capture its output.

    Ctrl-C in this terminal reaches neither it nor a server that it leaves behind: a server interrupted together with
    this process would cut off the last statements of programs that are shutting down properly. The working folder is
    `/`, since the account may not have access to the present one, and no variable that PostgreSQL reads is passed on.
    """
    ours = ("PG", "LC_", "LANG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        command,
        cwd="/",
        env=environment | {"LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        user=account.uid if account.is_other else None,
        group=account.gid if account.is_other else None,
        extra_groups=[] if account.is_other else None,
    )


def reaches(account: Account, path: Path) -> bool:
    """Whether that account can enter the folder, or run the file.

    Asked of the kernel by a process of that account: mode bits alone miss access lists and mount options.
    """
    return run_as(account, ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]).returncode == 0


def server_processes(account: Account, cluster: Path) -> set[int]:
    """The PIDs of all PostgreSQL processes that work in that cluster: its server, or orphans of a killed one.

    A shell of the server's account compares the folders, because in a container even root may lack the right
    to look into another account's processes.
    """
    candidates = [str(pid) for pid in _postgres_pids(account.uid)]
    if not candidates:
        return set()
    script = 'c=$1; shift; for p; do [ "/proc/$p/cwd" -ef "$c" ] && echo "$p"; done'
    result = run_as(account, ["/bin/sh", "-c", script, "sh", str(cluster), *candidates])
    return {int(line) for line in result.stdout.split()}


def _postgres_pids(uid: int) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended in between
            if process.stat().st_uid == uid and (process / "comm").read_text().strip() == "postgres":
                yield int(process.name)
