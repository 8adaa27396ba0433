"""Messages of Noventiq that answer an action of ours: a renewal that was switched, a product that was given back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, case, select

from db.schema.connection_states import AwaitedKind, AwaitedState, InboxState
from db.schema.connection_tables import awaited_action, inbox
from services.connections.answers import ActionAnswer, SettleOutcome, settle
from services.connections.incoming import WaitingMessage, WrongMessage
from services.events.awaiting import OPEN_STATES
from services.noventiq.messages import Notice, NoventiqEvent, read_notice
from services.noventiq.stored_orders import StoredOrder

# The vendor's clock may be this much behind ours.
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_SUBSCRIPTION_KINDS: Final = {
    NoventiqEvent.SUBSCRIPTION_CANCELLED: AwaitedKind.CANCEL_SUBSCRIPTION,
    NoventiqEvent.SUBSCRIPTION_RESTORED: AwaitedKind.RESUME_SUBSCRIPTION,
}
_SETTLED: Final = (InboxState.APPLIED, InboxState.UNCHANGED)


class _Awaited(NamedTuple):
    id: UUID
    positions: frozenset[int]
    recorded_at: datetime


def confirm_subscription(connection: Connection, message: WaitingMessage, notice: Notice) -> bool:
    """Confirm the cancellation or resumption that this message answers; False when nobody waits for it."""
    kind = _SUBSCRIPTION_KINDS.get(NoventiqEvent(notice.event))
    if kind is None or notice.subscription is None:
        return False
    awaited = _find_awaited(connection, message, notice, kind, subject=notice.subscription.id)
    return awaited is not None and _confirm(connection, message, awaited, notice.subscription.id)


def confirm_refund(
    connection: Connection, message: WaitingMessage, notice: Notice, stored: StoredOrder
) -> str | None:
    """Confirm the refund that this message completes: its last product was given back.

    Returns a sentence when other products of the refund are still to come: until then nothing is changed, since a
    refund is carried out as a whole. None otherwise.
    """
    awaited = _find_awaited(connection, message, notice, AwaitedKind.REFUND)
    product = stored.match(notice.item)
    if awaited is None or product is None or product.position not in awaited.positions:
        return None
    missing = _missing(connection, message, stored, awaited, product.position)
    if missing > 0:
        return f"The refund waits for the return of {missing} more of its products."
    _confirm(connection, message, awaited, str(notice.order_id))
    return None


def is_overtaken(connection: Connection, message: WaitingMessage, notice: Notice) -> bool:
    """Whether a later message about the same subscription was here before this one."""
    if notice.subscription is None:
        return False
    later, _ = _earlier_messages(
        connection, message, tuple(_SUBSCRIPTION_KINDS), inbox.c.occurred_at > message.occurred_at
    )
    return any(
        other.subscription is not None and other.subscription.id == notice.subscription.id for other in later
    )


def _find_awaited(
    connection: Connection,
    message: WaitingMessage,
    notice: Notice,
    kind: AwaitedKind,
    *,
    subject: str | None = None,
) -> _Awaited | None:
    """The action that waits for this connection; one that was given up counts as well, after those that are open."""
    row = connection.execute(
        select(awaited_action.c.id, awaited_action.c.wish, awaited_action.c.recorded_at)
        .where(
            awaited_action.c.connection_id == message.connection_id,
            awaited_action.c.order_id == notice.order_id
            if subject is None
            else awaited_action.c.subject == subject,
            awaited_action.c.kind == kind,
            awaited_action.c.state.in_((*OPEN_STATES, AwaitedState.NOT_DELIVERED)),
            # A message of an earlier time answers something else.
            awaited_action.c.recorded_at <= notice.occurred_at + _CLOCKS_DIFFER,
        )
        .order_by(
            case((awaited_action.c.state.in_(OPEN_STATES), 1), else_=2), awaited_action.c.recorded_at.desc()
        )
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    positions = frozenset(item["position"] for item in row.wish.get("items", ()))
    return _Awaited(row.id, positions, row.recorded_at)


def _confirm(connection: Connection, message: WaitingMessage, awaited: _Awaited, external_id: str) -> bool:
    assert message.connection_id is not None  # noqa: S101 - a message of this kind came by a connection
    outcome = settle(
        connection,
        awaited.id,
        ActionAnswer(succeeded=True, external_id=external_id),
        from_connection_id=message.connection_id,
    )
    return outcome is SettleOutcome.CONFIRMED


def _missing(
    connection: Connection, message: WaitingMessage, stored: StoredOrder, awaited: _Awaited, position: int
) -> int:
    """The number of the refund's products still to be returned, with the one at `position` returned now."""
    earlier, unreadable = _earlier_messages(
        connection, message, (NoventiqEvent.PRODUCT_RETURNED,), inbox.c.received_at >= awaited.recorded_at
    )
    matches = [stored.match(other.item) for other in earlier]
    returned = {position, *(match.position for match in matches if match is not None)}
    # Of an order whose customer was erased no message is kept, but how many there were is known.
    return len(awaited.positions - returned) - unreadable


def _earlier_messages(
    connection: Connection, message: WaitingMessage, events: Iterable[str], condition: ColumnElement[bool]
) -> tuple[list[Notice], int]:
    """The messages about this order that were taken in before this one, and how many cannot be read any more."""
    bodies = connection.execute(
        select(inbox.c.body).where(
            inbox.c.connection_id == message.connection_id,
            inbox.c.order_id == message.order_id,
            inbox.c.type.in_(list(events)),
            inbox.c.state.in_(_SETTLED),
            inbox.c.id != message.id,
            condition,
        )
    ).scalars()
    notices, unreadable = [], 0
    for body in bodies:
        try:
            notices.append(read_notice(bytes(body or b""), message.store or ""))
        except WrongMessage:
            unreadable += 1
    return notices, unreadable
