"""The deliveries that are due, with everything that is needed to make them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from db.schema.connection_states import AwaitedState, DeliveryState, Purpose
from db.schema.connection_tables import awaited_action, delivery, outbox_event
from db.schema.connection_tables import connection as connection_table
from services.connections.secrets import find_secrets

WEBHOOKS: Final = "webhooks"


class Lane(NamedTuple):
    """A connection that has deliveries that are due. With `is_troubled`, the last attempt failed."""

    connection_id: int
    kind: str
    is_troubled: bool


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is due, its event and its connection.

    `attempts` is how many were made before. With `is_awaited`, the event is an action that this connection has to
    confirm; with `is_given_up`, such an action was given up already, and must not be carried out.
    """

    id: int
    connection_id: int
    store_id: int
    kind: str
    out_url: str | None
    options: Mapping[str, object]  # JSON of each kind's own making
    event_id: UUID
    action_id: UUID
    type: str
    order_id: int
    created_at: datetime
    data: Mapping[str, object]  # JSON of each event's own making
    attempts: int
    is_awaited: bool
    is_given_up: bool
    secrets: tuple[str, ...]


_paused_until: Final = connection_table.c.paused_until
_IS_OPEN: Final = (
    connection_table.c.switched_off_at.is_(None),
    or_(_paused_until.is_(None), _paused_until <= func.now()),
    or_(connection_table.c.kind != WEBHOOKS, connection_table.c.out_url.is_not(None)),
)
_IS_DUE: Final = (delivery.c.state == DeliveryState.WAITING, delivery.c.next_attempt_at <= func.now())
_earlier: Final = delivery.alias("earlier")


# A subquery and no anti join: without statistics of a table that has just been filled, PostgreSQL would look at each of
# the connection's waiting deliveries for each of them. This one is a look into `delivery_waiting_order`, always.
def _is_its_orders_first(of: FromClause) -> ColumnElement[bool]:
    first = (
        select(_earlier.c.seq)
        .where(
            _earlier.c.state == DeliveryState.WAITING,
            _earlier.c.connection_id == of.c.connection_id,
            _earlier.c.order_id == of.c.order_id,
        )
        .order_by(_earlier.c.seq)
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
    return of.c.seq == first


# Built once: both run in every round.
_LANES: Final = (
    select(
        connection_table.c.id,
        connection_table.c.kind,
        connection_table.c.trouble.is_not(None).label("is_troubled"),
    )
    .where(*_IS_OPEN, exists().where(delivery.c.connection_id == connection_table.c.id, *_IS_DUE))
    .order_by(connection_table.c.id)
)
_DUE: Final = (
    select(
        delivery.c.id,
        delivery.c.connection_id,
        connection_table.c.checkout_page_id.label("store_id"),
        connection_table.c.kind,
        connection_table.c.out_url,
        connection_table.c.options,
        delivery.c.event_id,
        outbox_event.c.action_id,
        outbox_event.c.type,
        delivery.c.order_id,
        outbox_event.c.created_at,
        outbox_event.c.data,
        delivery.c.attempts,
        awaited_action.c.id.is_not(None).label("is_awaited"),
        func.coalesce(awaited_action.c.state == AwaitedState.NOT_DELIVERED, False).label("is_given_up"),
    )
    .join(connection_table, connection_table.c.id == delivery.c.connection_id)
    .join(outbox_event, outbox_event.c.id == delivery.c.event_id)
    .outerjoin(
        awaited_action,
        and_(
            awaited_action.c.id == outbox_event.c.action_id,
            awaited_action.c.connection_id == delivery.c.connection_id,
        ),
    )
    .where(
        delivery.c.connection_id == bindparam("connection_id"),
        delivery.c.id.not_in(bindparam("under_way", expanding=True)),
        *_IS_DUE,
        *_IS_OPEN,
        _is_its_orders_first(delivery),
    )
    .order_by(delivery.c.next_attempt_at, delivery.c.id)
    .limit(bindparam("most", type_=Integer))
)


_LOOKED_AT: Final = 2000
_HELD_BACK: Final = timedelta(minutes=1)
_examined: Final = (
    select(delivery.c.id)
    .where(delivery.c.connection_id == bindparam("lane"), *_IS_DUE)
    .order_by(delivery.c.next_attempt_at, delivery.c.id)
    .limit(_LOOKED_AT)
)
_blocked: Final = delivery.alias("blocked")
_HOLD_BACK: Final = (
    update(delivery)
    .where(
        delivery.c.id.in_(
            select(_blocked.c.id)
            .where(
                _blocked.c.id.in_(_examined),
                ~_is_its_orders_first(_blocked),
            )
            .order_by(_blocked.c.id)
            .with_for_update(skip_locked=True, of=_blocked)
        )
    )
    .values(
        next_attempt_at=func.greatest(
            func.now() + _HELD_BACK,
            # The sum keeps PostgreSQL from walking down an index of all times.
            select(func.max(_earlier.c.next_attempt_at + timedelta(0)))
            .where(
                _earlier.c.state == DeliveryState.WAITING,
                _earlier.c.connection_id == delivery.c.connection_id,
                _earlier.c.order_id == delivery.c.order_id,
                _earlier.c.seq < delivery.c.seq,
            )
            .scalar_subquery(),
        )
    )
)
_RELEASE: Final = (
    update(delivery)
    .where(
        delivery.c.connection_id == bindparam("lane"),
        delivery.c.order_id.in_(bindparam("orders", expanding=True)),
        delivery.c.state == DeliveryState.WAITING,
        delivery.c.attempts == 0,
        delivery.c.next_attempt_at > func.now(),
        _is_its_orders_first(delivery),
    )
    .values(next_attempt_at=func.now())
)


def hold_back(connection: Connection, lane: Lane) -> None:
    """Take deliveries that wait for an earlier one of their order out of those that are due, some at a time.

    Else each round would look at thousands of them at a shop that is away. `release` makes them due again.
    """
    connection.execute(_HOLD_BACK, {"lane": lane.connection_id})


def release(connection: Connection, connection_id: int, order_ids: Collection[int]) -> None:
    """Make the first of these orders' waiting deliveries due: the ones before it were settled."""
    connection.execute(_RELEASE, {"lane": connection_id, "orders": list(order_ids)})


def find_lanes(connection: Connection) -> list[Lane]:
    """The connections that have something due, none that is switched off or has asked for a pause."""
    return [Lane(row.id, row.kind, row.is_troubled) for row in connection.execute(_LANES)]


def find_due(
    connection: Connection, lane: Lane, *, limit: int, under_way: Collection[int]
) -> list[DueDelivery]:
    """Deliveries of one connection that are due, the one that waits longest first, at most one per order.

    A later event of an order waits until the earlier one has been delivered or given up. Those in `under_way` (IDs of
    deliveries) are left out.
    """
    values = {"connection_id": lane.connection_id, "under_way": list(under_way), "most": limit}
    rows = connection.execute(_DUE, values).all()
    purpose = Purpose.OUT if lane.kind == WEBHOOKS else Purpose.API
    secrets = find_secrets(connection, lane.connection_id, purpose) if rows else ()
    return [DueDelivery(**row._mapping, secrets=secrets) for row in rows]
