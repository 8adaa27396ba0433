"""Child processes that end when they are told to, and never outlive the portal."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from db.environment import PROJECT
from services.entrypoints.ordinary_user import OrdinaryUser

_PR_SET_PDEATHSIG = 1


class Child:
    """One of the portal's programs, `python -m …`, in a session of its own: Ctrl-C in the terminal reaches the portal
    alone.

    So the portal decides the order in which programs end, and none writes a traceback about an interrupt.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        user: OrdinaryUser | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.arguments = list(arguments)
        self._user = user
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    def start(self) -> None:
        """Start the program, or start it again after it has ended."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            cwd=PROJECT,
            env=self._environment,
            user=self._user.uid if self._user else None,
            group=self._user.gid if self._user else None,
            extra_groups=self._user.groups if self._user else None,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # After the change of user, which would cancel this request to Linux.
            preexec_fn=_dying_with_parent(),
        )
        self.started_at = time.monotonic()

    @property
    def exit_status(self) -> int | None:
        """None while it runs (or was never started); negative when a signal ended it."""
        return None if self._process is None else self._process.poll()

    def stop(self, patience: float = 10.0) -> None:
        """Ask the program to end; after `patience` seconds, kill it together with the processes that it started."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _dying_with_parent() -> Callable[[], None] | None:
    """The first step of the new process, before its program: ask Linux for a SIGKILL when its parent has died.

    A portal that is killed outright can clean up nothing, and a web server left behind would keep the port
    from the next one. SIGKILL, because a server that waits for its browsers to say goodbye may wait for ever;
    everything worth keeping is in transactions. The library is loaded here, since loading is not safe between
    fork and exec.
    """
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)

    return prepare
