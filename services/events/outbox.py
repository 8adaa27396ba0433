"""Events on their way out: rows of the transaction that causes them. `services.delivery.webhooks` delivers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Connection, Select, and_, insert, literal, or_, select

from db.schema.connection_states import Topic
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import delivery, outbox_event
from services.events.awaiting import is_payment_provider
from services.events.event_types import EventType

# Numbers, amounts as decimal strings, states and IDs: never what a person could be known by.
Value = str | int | bool | Sequence[str] | Mapping[str, object] | Sequence[Mapping[str, object]] | None
Data = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Subject:
    """The order that an event is about, as the shop knows it. `store` is the technical name."""

    order_id: int
    order_name: str
    store_id: int
    store: str


def publish(
    connection: Connection,
    event: EventType,
    subject: Subject,
    *,
    action_id: UUID | None = None,
    asked: int | None = None,
    told_before: int | None = None,
    data: Data,
) -> UUID:
    """Write an event and its deliveries in the caller's transaction; returns the event's ID.

    Without `action_id` the event stands for its own action. `asked` is the connection that has to carry the action out
    and to confirm it: it alone is told, so that nothing is done twice. Once it has, the others are: `told_before` is
    the one to leave out, and without others there is no event. Nothing is written for a store without a connection.
    """
    event_id = uuid4()
    action_id = action_id or event_id
    about = {
        "action_id": str(action_id),
        "order_id": subject.order_id,
        "order_name": subject.order_name,
        "store": subject.store,
    }
    receivers = _receivers(event.topic, subject.store_id, asked=asked, told_before=told_before)
    if not _has_connection(connection, subject.store_id):
        return event_id
    if told_before is not None and connection.execute(receivers).first() is None:
        return event_id
    seq = connection.execute(
        insert(outbox_event)
        .values(
            id=event_id,
            type=event,
            action_id=action_id,
            order_id=subject.order_id,
            checkout_page_id=subject.store_id,
            data=about | dict(data),
        )
        .returning(outbox_event.c.seq)
    ).scalar_one()
    rows = receivers.add_columns(literal(event_id), literal(subject.order_id), literal(seq))
    connection.execute(
        insert(delivery).inline().from_select(["connection_id", "event_id", "order_id", "seq"], rows)
    )
    return event_id


def _receivers(
    topic: Topic, store_id: int, *, asked: int | None, told_before: int | None
) -> Select[tuple[int]]:
    """The connections of the store that are told of the topic."""
    kind, wants = connection_table.c.kind, connection_table.c.topics.contains([topic.value])
    statement = select(connection_table.c.id).where(
        connection_table.c.checkout_page_id == store_id,
        connection_table.c.switched_off_at.is_(None),
        or_(
            and_(kind == "webhooks", connection_table.c.has_out_url, wants),
            and_(kind == "noventiq", wants),
            and_(is_payment_provider(kind), literal(topic is Topic.REFUNDS)),
        ),
    )
    if asked is not None:
        statement = statement.where(connection_table.c.id == asked)
    if told_before is not None:
        statement = statement.where(connection_table.c.id != told_before)
    return statement


def _has_connection(connection: Connection, store_id: int) -> bool:
    # Also one that only reads through api.events: the outbox is its list.
    return (
        connection.execute(
            select(connection_table.c.id).where(connection_table.c.checkout_page_id == store_id).limit(1)
        ).first()
        is not None
    )
