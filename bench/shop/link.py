"""The pretend shop's side of a connection: messages on their way to the portal, and events that come from it."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

_PAUSE: Final = 2.0
_SECONDS: Final = 10.0
_LOGGED: Final = 100


@dataclass(frozen=True, slots=True)
class Secrets:
    """Those of one connection, newest first: for what comes to the portal, and for what it sends."""

    incoming: tuple[str, ...]
    outgoing: tuple[str, ...]


@dataclass(slots=True)
class Message:
    """A message that the portal has not accepted yet; `due` is a time of `time.monotonic`."""

    body: bytes
    about: str
    due: float
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")


@dataclass(frozen=True, slots=True)
class Line:
    """What was sent or received, and how it was answered."""

    at: str
    text: str


class Link:
    """Sends messages one after the other, each until it is accepted or refused, and verifies events.

    `secrets` is asked again whenever a signature is made or checked: they may be rotated in the portal.
    """

    def __init__(self, address: str, secrets: Callable[[], Secrets]) -> None:
        self.address = address
        self.log: deque[Line] = deque(maxlen=_LOGGED)
        self.sends_doubles = False
        self._secrets = secrets
        self._queue: list[Message] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def send(self, type_: str, data: Mapping[str, object], about: str, *, after: float = 0.0) -> None:
        """Put a message into the queue; it is sent after so many seconds."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = json.dumps({"type": type_, "timestamp": stamp, "data": data}).encode()
        with self._changed:
            self._queue.append(Message(body, f"{type_}, {about}", time.monotonic() + after))
            self._changed.notify()

    def note(self, text: str) -> None:
        """Add a line to the log, newest first."""
        self.log.appendleft(Line(f"{datetime.now(UTC):%H:%M:%S}", text))

    # Any: what the portal says is JSON.
    def read_event(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any] | None:
        """The event in a request from the portal; None when no valid secret has signed it."""
        for secret in self._secrets().outgoing:
            try:
                event: dict[str, Any] = Webhook(secret).verify(body, dict(headers))
            except (WebhookVerificationError, ValueError):
                continue
            return event
        return None

    def _work(self) -> None:
        while True:
            message = self._next()
            if self._deliver(message):
                with self._changed:
                    self._queue.remove(message)
            else:
                message.due = time.monotonic() + _PAUSE

    def _next(self) -> Message:
        """Wait for the first message of the queue that is due."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = next((message for message in self._queue if message.due <= now), None)
                if due is not None:
                    return due
                self._changed.wait(min((message.due - now for message in self._queue), default=None))

    def _deliver(self, message: Message) -> bool:
        """Whether the message is done with: accepted, or refused for good."""
        try:
            statuses = [self._post(message) for _ in range(2 if self.sends_doubles else 1)]
        except (OSError, urllib.error.URLError) as error:
            self.note(f"{message.about}: the portal does not answer ({error}); once more in {_PAUSE:.0f} s")
            return False
        self.note(f"{message.about}: {' and then '.join(statuses)}")
        return not statuses[0].startswith(("429", "5"))

    def _post(self, message: Message) -> str:
        now = datetime.now(UTC)
        request = urllib.request.Request(
            self.address,
            message.body,
            {
                "Content-Type": "application/json",
                "webhook-id": message.id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(self._secrets().incoming[0]).sign(
                    message.id, now, message.body.decode()
                ),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:
                return f"{response.status} {response.reason}"
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read(300).decode(errors='replace')}"
