"""Messages that come in: verified, stored, answered. The worker carries them out (services/connections/applying.py).

What an answer says never depends on whether an order exists here: that is found out later, and shown to administrators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from db.connections.engine import jobs_statements
from db.schema.connection_states import ConnectionKind, InboxState
from db.schema.connection_tables import inbox
from db.statements.receiving import STORE_MESSAGE
from services.connections.incoming import Kinds, Reading, Sender, WrongMessage
from services.connections.rates import RateLimit, Throttle
from services.connections.senders import RememberedSenders, find_sender

_senders = RememberedSenders()
_rates = RateLimit()
# `last_received_at` is for people: once a second is enough.
_noted = Throttle(1.0)
_LONGEST_FIELD: Final = 300
_LONGEST_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a sender: an HTTP status, and for a message that is not accepted the field and the reason."""

    status: int
    field: str | None = None
    message: str | None = None
    retry_after: int | None = None

    @property
    def body(self) -> dict[str, str | None]:
        if self.message is None:
            return {"status": "accepted" if self.status == 202 else "known"}
        return {"field": self.field, "message": self.message}


ACCEPTED: Final = Answer(202)
SEEN_BEFORE: Final = Answer(200)
NOT_SIGNED: Final = Answer(401, None, "The signature is wrong, or the message is older than five minutes.")
# The connection was changed twice while one message was looked at.
_TRY_AGAIN: Final = Answer(503, None, "The connection is being changed. Please send the message again.", 1)
UNKNOWN: Final = Answer(404, None, "There is no such address.")


def too_many(seconds: int) -> Answer:
    return Answer(429, None, "Too many messages. Please send them again later.", seconds)


def receive(kinds: Kinds, key: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Verify and store a message (names of `headers` in lower case), and say what to answer.

    A message that cannot be used is kept as refused, so that an administrator sees it; one with a wrong signature is
    not kept at all. Two statements, each a transaction of its own; one where the sender is remembered and unchanged.
    """
    try:
        return _receive(kinds, key, headers, body)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # The database was restarted since the last message. Whether this one was stored or not, its ID tells.
        return _receive(kinds, key, headers, body)


def _receive(kinds: Kinds, key: str, headers: Mapping[str, str], body: bytes) -> Answer:
    is_findable = is_storable(key)
    remembered = _senders.get(key) if is_findable else None
    with jobs_statements() as connection:
        answer: Answer | None = None
        if remembered is not None:
            answer = NOT_SIGNED
            if _is_signed(kinds, remembered, headers, body):
                answer, is_stored = _take(connection, kinds, remembered, key, headers, body)
                if answer is not None and is_stored:
                    return answer
        sender = find_sender(connection, key) if is_findable else None
        kind = kinds.get(sender.kind) if sender else None
        _senders.set(key, sender if kind else None)
        if sender is None or kind is None:
            if remembered is None:  # as long as a message with a wrong signature takes
                kinds[ConnectionKind.WEBHOOKS].receiver.verify((), headers, body)
            return UNKNOWN
        if answer is not None and sender == remembered:
            return answer
        if not _is_signed(kinds, sender, headers, body):
            return NOT_SIGNED
        answer, _ = _take(connection, kinds, sender, key, headers, body)
        return answer or _TRY_AGAIN


def _is_signed(kinds: Kinds, sender: Sender, headers: Mapping[str, str], body: bytes) -> bool:
    return kinds[sender.kind].receiver.verify(sender.secrets, headers, body)


def _take(
    connection: Connection, kinds: Kinds, sender: Sender, key: str, headers: Mapping[str, str], body: bytes
) -> tuple[Answer | None, bool]:
    """Read and store a message that `sender` signed.

    Returns the answer, and whether the message is in the inbox. No answer: the connection is no longer what `sender`
    says.
    """
    if wait := _rates.seconds_to_wait(sender.id, sender.rate_per_minute):
        return too_many(wait), False
    try:
        reading = kinds[sender.kind].receiver.read(sender, headers, body)
    except WrongMessage as error:
        return Answer(422, error.field, error.reason), False
    is_current, is_new = _store(connection, sender, key, reading, body)
    if not is_current:
        return None, False
    if reading.refused is not None:
        return Answer(422, reading.refused.field, reading.refused.reason), True
    return (ACCEPTED if is_new else SEEN_BEFORE), True


def _store(
    connection: Connection, sender: Sender, key: str, reading: Reading, body: bytes
) -> tuple[bool, bool]:
    """Put a message into the inbox. Returns whether the sender is still the same, and whether the message is new."""
    state = InboxState.WAITING
    if reading.refused is not None:
        state = InboxState.REFUSED
    elif reading.ignored is not None:
        state = InboxState.IGNORED
    reason = reading.refused.reason if reading.refused else reading.ignored
    stored = connection.execute(
        STORE_MESSAGE,
        {
            "connection_id": sender.id,
            "key": key,
            "kind": sender.kind,
            "store_id": sender.store_id,
            "store": sender.store,
            "rate_per_minute": sender.rate_per_minute,
            "secrets": list(sender.secrets),
            "event_id": reading.event_id,
            "type": reading.type,
            "order_id": reading.order_id,
            "occurred_at": reading.occurred_at,
            "body": body,
            "state": state,
            "field": storable(reading.refused.field, _LONGEST_FIELD) if reading.refused else None,
            "reason": storable(reason, _LONGEST_REASON),
            "is_noted": _noted.is_due(sender.id),
        },
    ).one()
    return stored.is_current, stored.is_new


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can hold, or look for, this text."""
    return value.isprintable()


def storable(value: str | None, longest: int) -> str | None:
    """A text of ours that may repeat a sender's, as a column can hold it."""
    if not value:
        return None
    clean = value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def age_of_oldest(connection: Connection) -> datetime | None:
    """When the oldest message that waits arrived; None when none waits."""
    oldest: datetime | None = connection.execute(
        select(func.min(inbox.c.received_at)).where(inbox.c.state == InboxState.WAITING)
    ).scalar_one()
    return oldest
