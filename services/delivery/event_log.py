"""The deliveries of a connection, for administrators: what was sent, what waits, what failed; and sending it again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select, update

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedState, DeliveryState
from db.schema.connection_tables import awaited_action, delivery, outbox_event
from db.schema.connection_tables import connection as connection_table
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.connections.listing import ConnectionNotFound
from services.delivery.due import WEBHOOKS
from services.errors import InvalidInput
from services.events.awaiting import OPEN_STATES

PAGE: Final = 50
# So many are sent again at once, the oldest first.
MOST_REPLAYED: Final = 10_000


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """One event on its way to one connection. `settled_at` is when it was delivered or given up.

    `event_id` is the message's ID, the same at each attempt; `created_at` is when the event happened.
    """

    id: int
    event_id: UUID
    type: str
    action_id: UUID
    order_id: int
    order_name: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    settled_at: datetime | None
    last_status: int | None
    last_error: str | None


def find_deliveries(
    connection: Connection,
    viewer: Viewer,
    connection_id: int,
    *,
    state: DeliveryState | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[LoggedDelivery, ...]:
    """Deliveries, newest first; `before` (an ID) goes on where an earlier page ended. Raises `NotAllowed`."""
    require_administrator(viewer)
    statement = (
        select(
            delivery.c.id,
            delivery.c.event_id,
            outbox_event.c.type,
            outbox_event.c.action_id,
            delivery.c.order_id,
            outbox_event.c.data["order_name"].astext.label("order_name"),
            delivery.c.state,
            delivery.c.attempts,
            outbox_event.c.created_at,
            delivery.c.next_attempt_at,
            delivery.c.settled_at,
            delivery.c.last_status,
            delivery.c.last_error,
        )
        .join(outbox_event, outbox_event.c.id == delivery.c.event_id)
        .where(delivery.c.connection_id == connection_id)
        .order_by(delivery.c.id.desc())
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(delivery.c.state == state)
    if before is not None:
        statement = statement.where(delivery.c.id < before)
    return tuple(
        LoggedDelivery(**{**row._mapping, "state": DeliveryState(row.state)})
        for row in connection.execute(statement)
    )


@action(AuditAction.REPLAY_DELIVERIES)
def replay_deliveries(
    connection: Connection,
    viewer: Viewer,
    connection_id: int,
    *,
    delivery_ids: Collection[int] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    state: DeliveryState | None = None,
) -> ActionResult:
    """Send events again under the same IDs.

    They are those in `delivery_ids`, or those from `since` to before `until`, of the state `state` if it is given.
    Waiting ones become due at once. Actions that nobody here wants any longer are left out, since the other side would
    carry them out: those given up and, with a provider, those answered. Raises `NotAllowed`,
    `ConnectionNotFound`, and `InvalidInput` when nothing was chosen or more than `MOST_REPLAYED`.
    """
    require_administrator(viewer)
    kind = connection.execute(
        select(connection_table.c.kind).where(connection_table.c.id == connection_id)
    ).scalar_one_or_none()
    if kind is None:
        raise ConnectionNotFound
    if not delivery_ids and since is None and until is None:
        raise InvalidInput("Please choose what is to be sent again.")
    chosen = [delivery.c.connection_id == connection_id]
    if delivery_ids:
        chosen.append(delivery.c.id.in_(delivery_ids))
    if state is not None:
        chosen.append(delivery.c.state == state)
    if since is not None or until is not None:
        chosen.append(_happened(since, until))
    ids = list(connection.execute(_locked(kind, chosen)).scalars())
    if len(ids) > MOST_REPLAYED:
        raise InvalidInput(f"These are more than {MOST_REPLAYED:,} events. Please choose a shorter time.")
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids))
        .values(state=DeliveryState.WAITING, attempts=0, next_attempt_at=func.now(), settled_at=None)
    )
    events = "1 event is" if len(ids) == 1 else f"{len(ids):,} events are"
    return ActionResult(f"{events} sent again.", {"connection": connection_id, "events": len(ids)})


def _happened(since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    limits = [outbox_event.c.id == delivery.c.event_id]
    if since is not None:
        limits.append(outbox_event.c.created_at >= since)
    if until is not None:
        limits.append(outbox_event.c.created_at < until)
    return exists().where(*limits)


def _locked(kind: str, chosen: list[ColumnElement[bool]]) -> Select[int]:
    """The statement that locks the deliveries that may be sent again, in the order in which the worker locks them."""
    # A shop knows an event by its ID. A provider that was asked for money once is not asked again.
    settled = awaited_action.c.state == AwaitedState.NOT_DELIVERED
    if kind != WEBHOOKS:
        settled = awaited_action.c.state.not_in(OPEN_STATES)
    is_over = exists().where(
        outbox_event.c.id == delivery.c.event_id,
        awaited_action.c.id == outbox_event.c.action_id,
        awaited_action.c.connection_id == delivery.c.connection_id,
        settled,
    )
    return (
        select(delivery.c.id)
        .where(*chosen, ~is_over)
        .order_by(delivery.c.id)
        .limit(MOST_REPLAYED + 1)
        .with_for_update(of=delivery)
    )
