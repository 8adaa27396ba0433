"""Cancelling and resuming subscriptions: rules for AR and PMR, and whether the shop has to confirm it first."""

from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedKind, Topic
from db.schema.order_tables import subscription
from db.schema.statuses import (
    RENEWAL_ACTIVATED,
    RENEWAL_DEACTIVATED,
    SUBSCRIPTION_TYPES,
    SubscriptionStatus,
    SubscriptionType,
)
from services.access import Permission, Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, NotFound
from services.events.awaiting import ConfirmingConnection, await_action
from services.events.event_types import EventType
from services.order_actions.announcements import announce, find_asked
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder, lock_orders
from services.order_actions.subscription_changes import (
    SubscriptionRow,
    because,
    carry_out_change,
    find_rows,
    related_orders,
)
from services.text.input import REASON_LIMIT, checked_text

AWAITED: Final = "A change of this subscription has been recorded and waits to be confirmed."


class SubscriptionNotFound(NotFound):
    message = "This order has no such subscription."


class SubscriptionUnchanged(Conflict):
    """Somebody was faster, or the type does not allow it."""


def why_not_cancelled(*, type_: str, status: str, is_awaited: bool = False) -> str | None:
    """None when it can be cancelled, else the reason in a few words. AR and PMR alone are subscriptions.

    `is_awaited` says whether a change of it has to be confirmed and is not yet.
    """
    if type_ not in SUBSCRIPTION_TYPES:
        return "This renewal is no subscription."
    if is_awaited:
        return AWAITED
    return "This subscription is cancelled already." if status == SubscriptionStatus.CANCELLED else None


def why_not_resumed(*, type_: str, status: str, is_awaited: bool = False) -> str | None:
    """None when it can be resumed, else the reason. Only AR can (the vendor's later rule)."""
    if type_ not in SUBSCRIPTION_TYPES:
        return "This renewal is no subscription."
    if is_awaited:
        return AWAITED
    if status != SubscriptionStatus.CANCELLED:
        return "This subscription is active already."
    return "A PMR subscription cannot be resumed." if type_ != SubscriptionType.AR else None


@action(AuditAction.CANCEL_SUBSCRIPTION)
def cancel_subscription(
    connection: Connection, viewer: Viewer, order_id: int, *, position: int, reason: str = ""
) -> ActionResult:
    """Switches off the renewal of the subscription that this order's item carries, in its parent and child orders too.

    Where a connection of the store confirms such changes, this only records it (decision 026). `reason` is optional, at
    most 500 characters. Raises `OrderNotFound`, `NotAllowed`, `SubscriptionNotFound`, `SubscriptionUnchanged`,
    `InvalidInput`.
    """
    return _change(connection, viewer, order_id, position, reason, cancel=True)


@action(AuditAction.RESUME_SUBSCRIPTION)
def resume_subscription(
    connection: Connection, viewer: Viewer, order_id: int, *, position: int, reason: str = ""
) -> ActionResult:
    """Switches the renewal on again: to *not paid* while a child order waits to be paid, else to *active*.

    Recorded, and raises, as `cancel_subscription`.
    """
    return _change(connection, viewer, order_id, position, reason, cancel=False)


def _change(
    connection: Connection, viewer: Viewer, order_id: int, position: int, reason: str, *, cancel: bool
) -> ActionResult:
    reason = checked_text(reason, field="reason", name="The reason", limit=REASON_LIMIT, required=False)
    locked = lock_orders(connection, viewer, related_orders(connection, order_id, [position]), Permission.ACT)
    order = locked[order_id]
    row = _decide(connection, order, position, cancel=cancel)
    confirming = find_asked(connection, order, Topic.SUBSCRIPTIONS)
    if confirming is not None:
        return _record(connection, viewer, order, row, confirming, cancel=cancel, reason=reason)
    status = carry_out_change(connection, viewer, order, row, cancel=cancel, reason=reason)
    _announce(connection, order, row, cancel=cancel)
    label = RENEWAL_DEACTIVATED if cancel else RENEWAL_ACTIVATED
    return ActionResult(
        f"{label} for order {order.order_name}.",
        {"subscription": row.subscription_id, "from": row.status, "to": status},
    )


def _decide(connection: Connection, order: LockedOrder, position: int, *, cancel: bool) -> SubscriptionRow:
    """The subscription that may be changed. Raises `SubscriptionNotFound` and `SubscriptionUnchanged`."""
    rows = find_rows(
        connection, subscription.c.order_id == order.order_id, subscription.c.position == position
    )
    row = rows[0] if rows else None
    if row is None or not shows_subscription(
        row.type, row.parent_order_id, order.order_id, order.paid_at is not None
    ):
        raise SubscriptionNotFound
    why_not = (why_not_cancelled if cancel else why_not_resumed)(
        type_=row.type, status=row.status, is_awaited=row.is_awaited
    )
    if why_not:
        raise SubscriptionUnchanged(why_not)
    return row


def _record(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    row: SubscriptionRow,
    confirming: ConfirmingConnection,
    *,
    cancel: bool,
    reason: str,
) -> ActionResult:
    """Record the change for the shop to confirm; `services.order_actions.subscription_answers` carries it out."""
    action_id = await_action(
        connection,
        viewer,
        confirming,
        kind=AwaitedKind.CANCEL_SUBSCRIPTION if cancel else AwaitedKind.RESUME_SUBSCRIPTION,
        subject=row.subscription_id,
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        wish={"reason": reason},
    )
    add_event(
        connection,
        viewer,
        order,
        Event.CANCELLATION_RECORDED if cancel else Event.RESUMPTION_RECORDED,
        asked=confirming.asked,
        subscription=row.subscription_id,
        because=because(reason),
    )
    _announce(connection, order, row, cancel=cancel, action_id=action_id, asked=confirming.id)
    what = "cancellation" if cancel else "resumption"
    return ActionResult(
        f"The {what} for order {order.order_name} was recorded; {confirming.asked} has to confirm it.",
        {"subscription": row.subscription_id, "from": row.status, "waits for": confirming.asked},
    )


def _announce(
    connection: Connection,
    order: LockedOrder,
    row: SubscriptionRow,
    *,
    cancel: bool,
    action_id: UUID | None = None,
    asked: int | None = None,
) -> None:
    announce(
        connection,
        EventType.CANCEL_REQUESTED if cancel else EventType.RESUME_REQUESTED,
        order,
        row.event_data(),
        action_id=action_id,
        asked=asked,
    )


def shows_subscription(type_: str, parent_order_id: int | None, order_id: int, was_paid: bool) -> bool:
    """AR and PMR only; the parent order once it was paid, a child order always."""
    is_child = parent_order_id not in (None, order_id)
    return type_ in SUBSCRIPTION_TYPES and (is_child or was_paid)
