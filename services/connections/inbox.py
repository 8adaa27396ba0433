"""Messages that come in: verified, stored, answered. The worker carries them out (services/connections/applying.py).

What an answer says never depends on whether an order exists here: that is found out later, and shown to administrators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.connections.engine import jobs_transaction
from db.schema.connection_states import ConnectionKind, InboxState, Purpose
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import connection_secret, inbox
from db.schema.order_tables import checkout_page
from services.connections.incoming import Kinds, Reading, Sender, WrongMessage
from services.connections.rates import RateLimit, Throttle

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
UNKNOWN: Final = Answer(404, None, "There is no such address.")


def too_many(seconds: int) -> Answer:
    return Answer(429, None, "Too many messages. Please send them again later.", seconds)


def find_sender(connection: Connection, key: str) -> Sender | None:
    """The connection with this key that is not switched off. `connection` is a transaction of the jobs' role."""
    # One statement for the connection and its secrets: an unknown key takes as long as a known one.
    secrets = func.array(
        select(connection_secret.c.secret)
        .where(
            connection_secret.c.connection_id == connection_table.c.id,
            connection_secret.c.purpose == Purpose.IN,
            or_(connection_secret.c.valid_until.is_(None), connection_secret.c.valid_until > func.now()),
        )
        .scalar_subquery()
    )
    row = connection.execute(
        select(
            connection_table.c.id,
            connection_table.c.kind,
            connection_table.c.checkout_page_id,
            connection_table.c.rate_per_minute,
            checkout_page.c.name,
            secrets.label("secrets"),
        )
        .join(checkout_page, checkout_page.c.id == connection_table.c.checkout_page_id)
        .where(connection_table.c.key == key, connection_table.c.switched_off_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return Sender(
        id=row.id,
        kind=ConnectionKind(row.kind),
        store_id=row.checkout_page_id,
        store=row.name,
        rate_per_minute=row.rate_per_minute,
        secrets=tuple(row.secrets),
    )


def receive(kinds: Kinds, key: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Verify and store a message (names of `headers` in lower case), and say what to answer.

    A message that cannot be used is kept as refused, so that an administrator sees it; one with a wrong signature is
    not kept at all.
    """
    with jobs_transaction() as connection:
        sender = find_sender(connection, key) if is_storable(key) else None
        kind = kinds.get(sender.kind) if sender else None
        if sender is None or kind is None:
            # As long as a message with a wrong signature takes.
            kinds[ConnectionKind.WEBHOOKS].receiver.verify((), headers, body)
            return UNKNOWN
        if not kind.receiver.verify(sender.secrets, headers, body):
            return NOT_SIGNED
        if wait := _rates.seconds_to_wait(sender.id, sender.rate_per_minute):
            return too_many(wait)
        try:
            reading = kind.receiver.read(sender, headers, body)
        except WrongMessage as error:
            return Answer(422, error.field, error.reason)
        is_new = store(connection, sender.id, reading, body)
        if reading.refused is not None:
            return Answer(422, reading.refused.field, reading.refused.reason)
        return ACCEPTED if is_new else SEEN_BEFORE


def store(connection: Connection, connection_id: int | None, reading: Reading, body: bytes) -> bool:
    """Put a message into the inbox; False when one with this ID is there already."""
    state = InboxState.WAITING
    if reading.refused is not None:
        state = InboxState.REFUSED
    elif reading.ignored is not None:
        state = InboxState.IGNORED
    reason = reading.refused.reason if reading.refused else reading.ignored
    values = {
        "connection_id": connection_id,
        "event_id": reading.event_id,
        "type": reading.type,
        "order_id": reading.order_id,
        "occurred_at": reading.occurred_at,
        "body": body if state is InboxState.WAITING or not _holds_erased(connection, reading) else None,
        "state": state,
        "settled_at": None if state is InboxState.WAITING else func.now(),
        "field": storable(reading.refused.field, _LONGEST_FIELD) if reading.refused else None,
        "reason": storable(reason, _LONGEST_REASON),
    }
    added = connection.execute(
        insert(inbox).values(**values).on_conflict_do_nothing().returning(inbox.c.id)
    ).first()
    if added is not None and connection_id is not None and _noted.is_due(connection_id):
        _note_received(connection, connection_id)
    return added is not None


def _holds_erased(connection: Connection, reading: Reading) -> bool:
    """Whether the message names an order whose person was erased: its text must not bring the person back."""
    if reading.order_id is None:
        return False
    return bool(connection.execute(select(func.holds_erased(reading.order_id))).scalar_one())


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can hold, or look for, this text."""
    return value.isprintable()


def storable(value: str | None, longest: int) -> str | None:
    """A text of ours that may repeat a sender's, as a column can hold it."""
    if not value:
        return None
    clean = value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def _note_received(connection: Connection, connection_id: int) -> None:
    # Never at the price of waiting: a hundred messages at once share one row.
    free = (
        select(connection_table.c.id)
        .where(connection_table.c.id == connection_id)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(connection_table).where(connection_table.c.id.in_(free)).values(last_received_at=func.now())
    )


def age_of_oldest(connection: Connection) -> datetime | None:
    """When the oldest message that waits arrived; None when none waits."""
    oldest: datetime | None = connection.execute(
        select(func.min(inbox.c.received_at)).where(inbox.c.state == InboxState.WAITING)
    ).scalar_one()
    return oldest
