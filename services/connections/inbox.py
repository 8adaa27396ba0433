"""Messages of shops: verified, stored, answered. The worker merges them (services/connections/applying.py).

What an answer says never depends on whether an order exists here: that is found out later, and shown to administrators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.connections.engine import jobs_transaction
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import inbox
from db.schema.order_tables import checkout_page
from services.connections.documents import check_document
from services.connections.messages import (
    Message,
    MessageType,
    WrongMessage,
    event_id,
    is_signed,
    read_message,
)
from services.connections.rates import RateLimit
from services.connections.secrets import Purpose, find_secrets

_rates = RateLimit()


class ConnectionKind(StrEnum):
    """What is on the other side of a connection."""

    WEBHOOKS = "webhooks"
    NOVENTIQ = "noventiq"
    STRIPE = "stripe"
    HELP_DESK = "help desk"


class InboxState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told: an HTTP status, and for one that is not accepted the field and the reason."""

    status: int
    field: str | None = None
    message: str | None = None

    @property
    def body(self) -> dict[str, str | None]:
        if self.message is None:
            return {"status": "accepted" if self.status == 202 else "known"}
        return {"field": self.field, "message": self.message}


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection that messages come in by. `store` is the technical name that its documents must have."""

    id: int
    kind: ConnectionKind
    store_id: int
    store: str
    rate_per_minute: int


ACCEPTED: Final = Answer(202)
SEEN_BEFORE: Final = Answer(200)
NOT_SIGNED: Final = Answer(401, None, "The signature is wrong, or the message is older than five minutes.")
UNKNOWN: Final = Answer(404, None, "There is no such address.")
TOO_MANY: Final = Answer(429, None, "Too many messages. Please send them again later.")


def find_sender(connection: Connection, key: str) -> Sender | None:
    """The connection with this key that is not switched off. `connection` is a transaction of the jobs' role."""
    row = connection.execute(
        select(
            connection_table.c.id,
            connection_table.c.kind,
            connection_table.c.checkout_page_id,
            connection_table.c.rate_per_minute,
            checkout_page.c.name,
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
    )


def receive(key: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Verify and store a message of Standard Webhooks (`headers` in lower case), and say what to answer.

    A message that cannot be used is kept as refused, so that an administrator sees it; one with a wrong signature is
    not kept at all.
    """
    with jobs_transaction() as connection:
        sender = find_sender(connection, key)
        is_ours = sender is not None and sender.kind is ConnectionKind.WEBHOOKS
        secrets = find_secrets(connection, sender.id, Purpose.IN) if sender and is_ours else ()
        signed = is_signed(secrets, headers, body)
        if sender is None or not is_ours:
            return UNKNOWN
        if not signed:
            return NOT_SIGNED
        if not _rates.allows(sender.id, sender.rate_per_minute):
            return TOO_MANY
        try:
            message_id = event_id(headers)
        except WrongMessage as error:
            return Answer(422, error.field, error.reason)
        try:
            message = read_message(body)
            order_id = _check(message, sender)
        except WrongMessage as error:
            store(connection, sender.id, message_id, None, body, refused=error)
            return Answer(422, error.field, error.reason)
        is_new = store(connection, sender.id, message_id, message, body, order_id=order_id)
        return ACCEPTED if is_new else SEEN_BEFORE


def store(
    connection: Connection,
    connection_id: int | None,
    message_id: str,
    message: Message | None,
    body: bytes,
    *,
    order_id: int | None = None,
    refused: WrongMessage | None = None,
) -> bool:
    """Put a message into the inbox; False when one with this ID is there already."""
    state = InboxState.WAITING
    if refused is not None:
        state = InboxState.REFUSED
    elif message is not None and message.type not in tuple(MessageType):
        state = InboxState.IGNORED
    values = {
        "connection_id": connection_id,
        "event_id": message_id,
        "type": message.type if message else "unreadable",
        "order_id": order_id,
        "occurred_at": message.timestamp if message else None,
        "body": body,
        "state": state,
        "settled_at": None if state is InboxState.WAITING else func.now(),
        "field": refused.field if refused else None,
        "reason": refused.reason if refused else _why_ignored(message, state),
    }
    added = connection.execute(
        insert(inbox).values(**values).on_conflict_do_nothing().returning(inbox.c.id)
    ).first()
    if added is not None and connection_id is not None:
        _note_received(connection, connection_id)
    return added is not None


def _why_ignored(message: Message | None, state: InboxState) -> str | None:
    return (
        f"Messages of the type {message.type} mean nothing here."
        if message and state is InboxState.IGNORED
        else None
    )


def _note_received(connection: Connection, connection_id: int) -> None:
    # At most once a second, and never at the price of waiting: a hundred messages at once share one row.
    due = connection_table.c.last_received_at.is_(None) | (
        connection_table.c.last_received_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 1)
    )
    free = (
        select(connection_table.c.id)
        .where(connection_table.c.id == connection_id, due)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(connection_table).where(connection_table.c.id.in_(free)).values(last_received_at=func.now())
    )


def _check(message: Message, sender: Sender) -> int | None:
    """The order that the message is about, if its type has one; raises `WrongMessage`."""
    if message.type in (MessageType.ORDER, MessageType.ITEM):
        document = check_document(message.data, sender.store)
        if message.type == MessageType.ITEM and len(document.items) != 1:
            raise WrongMessage("data.items", "Exactly one item is expected.")
        return document.order_id
    if message.type == MessageType.ERASED:
        _require_text(message, "email", longest=320)
    if message.type in (MessageType.SUCCEEDED, MessageType.FAILED):
        _require_text(message, "action_id", longest=64)
    return None


def _require_text(message: Message, name: str, *, longest: int) -> None:
    value: object = message.data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise WrongMessage(f"data.{name}", f"A text of 1 to {longest} characters is expected.")


def age_of_oldest(connection: Connection) -> datetime | None:
    """When the oldest message that waits arrived; None when none waits."""
    oldest: datetime | None = connection.execute(
        select(func.min(inbox.c.received_at)).where(inbox.c.state == InboxState.WAITING)
    ).scalar_one()
    return oldest
