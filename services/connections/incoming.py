"""The kinds of connections, and what each kind that receives messages brings along: one line per kind in
services/delivery/incoming.py, where the web server and the worker find it.

A kind verifies and reads its messages (`Receiver`), and carries them out (`Handler`). Storing, answering, rate limits,
order, retries and what administrators see are the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from db.schema.connection_states import ConnectionKind, InboxState


class WrongMessage(ValueError):
    """A message that cannot be used: the field, and why in a sentence."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection that messages come in by. `store` is the technical name that its documents must have.

    `secrets` are the valid ones of the purpose "in", newest first.
    """

    id: int
    kind: ConnectionKind
    store_id: int
    store: str
    rate_per_minute: int
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """The header of a verified message. `event_id` is the same when the message is sent again.

    `ignored`: why nothing will be done about it; `refused`: why nothing can be. Such a message is stored all the same.
    """

    event_id: str
    type: str
    order_id: int | None = None
    occurred_at: datetime | None = None
    ignored: str | None = None
    refused: WrongMessage | None = None


class Receiver(Protocol):
    """The verification and reading of messages of one kind. `headers` have names in lower case."""

    def verify(self, secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> bool:
        """Whether one of the secrets signed the message. Takes as long without a secret as with one."""
        ...

    def read(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Reading:
        """Raises `WrongMessage` for a message that has no ID to store it under."""
        ...


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message of the inbox whose turn has come, locked. Without a connection it came by api.put_order."""

    id: int
    connection_id: int | None
    kind: ConnectionKind | None
    type: str
    body: bytes
    order_id: int | None
    store_id: int | None
    store: str | None
    received_at: datetime
    occurred_at: datetime | None
    attempts: int


class Outcome(NamedTuple):
    """The outcome of a message; `field` and `reason` say why it was refused, or waits for `retry_after`."""

    state: InboxState
    field: str | None = None
    reason: str | None = None
    retry_after: timedelta | None = None


# Carries one message out, in a savepoint of the transaction that settles it. It may raise `WrongMessage` and any
# `SupportError`: the message is refused then. A lock that is not to be had makes it wait.
Handler = Callable[[Connection, WaitingMessage], Outcome]


@dataclass(frozen=True, slots=True)
class IncomingKind:
    """`handlers` by message type; a message of another type is ignored when it is received."""

    receiver: Receiver
    handlers: Mapping[str, Handler]


Kinds = Mapping[ConnectionKind, IncomingKind]
