"""The pretended shop of tests/support/hook_receiver.py: started, stopped, and told what to answer."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it came over the wire; `sender` is the port that it came from, `at` the Unix time."""

    at: float
    path: str
    headers: dict[str, str]
    body: str
    sender: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class HookReceiver:
    """A shop on loopback. `answer` is one answer: status, headers, body, delay (seconds)."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """At the same port as before, if it has run."""
        command = [sys.executable, "-m", "tests.support.hook_receiver", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, *answers: dict[str, Any], path: str = "/hook") -> None:
        """What the next messages are answered, in turn."""
        self._tell("answers", path=path, answers=answers)

    def always(self, answer: dict[str, Any], *, path: str = "/hook") -> None:
        """What messages are answered that no other answer was set for."""
        self._tell("always", path=path, answer=answer)

    def arrived(self, path: str = "/hook") -> list[Arrived]:
        """What came to the path, in the order in which it came."""
        rows = [row for row in self._tell("arrived") if row["path"] == path]
        return [Arrived(row["at"], row["path"], row["headers"], row["body"], row["from"]) for row in rows]

    def forget(self) -> None:
        self._tell("forget")

    def _tell(self, wish: str, **values: Any) -> Any:  # JSON of any form
        request = urllib.request.Request(self.url(f"/_test/{wish}"), json.dumps(values).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


@contextmanager
def hook_receiver() -> Iterator[HookReceiver]:
    receiver = HookReceiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
