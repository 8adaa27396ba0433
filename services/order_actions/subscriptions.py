"""Cancelling and resuming subscriptions: rules for AR and PMR, and the subscription's own history."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import orders, subscription, subscription_event
from db.schema.statuses import (
    RENEWAL_ACTIVATED,
    RENEWAL_DEACTIVATED,
    SUBSCRIPTION_TYPES,
    MainStatus,
    SubscriptionAction,
    SubscriptionStatus,
    SubscriptionType,
)
from services.access import Permission, Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, NotFound
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder, lock_orders
from services.text.input import REASON_LIMIT, checked_text

ACTIVE, NOT_PAID, CANCELLED = SubscriptionStatus


class SubscriptionNotFound(NotFound):
    message = "This order has no such subscription."


class SubscriptionUnchanged(Conflict):
    """Somebody was faster, or the type does not allow it."""


def why_not_cancelled(*, type_: str, status: str) -> str | None:
    """None when it can be cancelled, else the reason in a few words. AR and PMR alone are subscriptions."""
    if type_ not in SUBSCRIPTION_TYPES:
        return "This renewal is no subscription."
    return "This subscription is cancelled already." if status == CANCELLED else None


def why_not_resumed(*, type_: str, status: str) -> str | None:
    """None when it can be resumed, else the reason. Only AR can (the vendor's later rule)."""
    if type_ not in SUBSCRIPTION_TYPES:
        return "This renewal is no subscription."
    if status != CANCELLED:
        return "This subscription is active already."
    return "A PMR subscription cannot be resumed." if type_ != SubscriptionType.AR else None


@action(AuditAction.CANCEL_SUBSCRIPTION)
def cancel_subscription(
    connection: Connection, viewer: Viewer, order_id: int, *, position: int, reason: str = ""
) -> ActionResult:
    """Switches off the renewal of the subscription that this order's item carries, in its parent and child orders too.

    `reason` is optional, at most 500 characters. Raises `OrderNotFound`, `NotAllowed`, `SubscriptionNotFound`,
    `SubscriptionUnchanged`, `InvalidInput`.
    """
    return _change(connection, viewer, order_id, position, reason, cancel=True)


@action(AuditAction.RESUME_SUBSCRIPTION)
def resume_subscription(
    connection: Connection, viewer: Viewer, order_id: int, *, position: int, reason: str = ""
) -> ActionResult:
    """Switches the renewal on again: to *not paid* while a child order waits to be paid, else to *active*.

    Raises as `cancel_subscription` does.
    """
    return _change(connection, viewer, order_id, position, reason, cancel=False)


def related_orders(connection: Connection, order_id: int, positions: list[int] | None = None) -> list[int]:
    """The orders that carry the same subscriptions as this order's items (its own ID included).

    All of them are locked, in one fixed order, before a subscription of any of them changes.
    """
    mine = subscription.alias()
    condition = mine.c.order_id == order_id
    if positions is not None:
        condition &= mine.c.position.in_(positions)
    found = connection.execute(
        select(subscription.c.order_id)
        .join(
            mine,
            (mine.c.checkout_page_id == subscription.c.checkout_page_id)
            & (mine.c.subscription_id == subscription.c.subscription_id),
        )
        .where(condition)
    ).scalars()
    return sorted({order_id, *found})


def stop_subscriptions(
    connection: Connection, viewer: Viewer, order: LockedOrder, positions: list[int], *, reason: str
) -> list[str]:
    """Cancels those that these items carry, as part of a refund; the IDs of those that were still on.

    The orders of `related_orders` must be locked.
    """
    stopped = []
    for row in _find_rows(
        connection,
        subscription.c.order_id == order.order_id,
        subscription.c.position.in_(positions),
        subscription.c.type.in_(SUBSCRIPTION_TYPES),
        subscription.c.status != CANCELLED,
    ):
        _change_status(
            connection, viewer, order, row, CANCELLED, action=SubscriptionAction.STOP, reason=reason
        )
        add_event(
            connection,
            viewer,
            order,
            Event.SUBSCRIPTION_CANCELLED,
            subscription=row.subscription_id,
            because=" (refund)",
        )
        stopped.append(row.subscription_id)
    return stopped


class SubscriptionRow(NamedTuple):
    """The columns of a subscription that its actions decide by."""

    checkout_page_id: int
    subscription_id: str
    type: str
    status: str
    parent_order_id: int | None


def _find_rows(connection: Connection, *conditions: ColumnElement[bool]) -> list[SubscriptionRow]:
    columns = [subscription.c[name] for name in SubscriptionRow._fields]
    rows = connection.execute(select(*columns).where(*conditions))
    return [SubscriptionRow(**row._mapping) for row in rows]


def _change(
    connection: Connection, viewer: Viewer, order_id: int, position: int, reason: str, *, cancel: bool
) -> ActionResult:
    reason = checked_text(reason, field="reason", name="The reason", limit=REASON_LIMIT, required=False)
    locked = lock_orders(connection, viewer, related_orders(connection, order_id, [position]), Permission.ACT)
    order = locked[order_id]
    rows = _find_rows(connection, subscription.c.order_id == order_id, subscription.c.position == position)
    row = rows[0] if rows else None
    if row is None or not shows_subscription(
        row.type, row.parent_order_id, order_id, order.paid_at is not None
    ):
        raise SubscriptionNotFound
    why_not = (why_not_cancelled if cancel else why_not_resumed)(type_=row.type, status=row.status)
    if why_not:
        raise SubscriptionUnchanged(why_not)
    status = CANCELLED if cancel else _status_after_resuming(connection, row)
    _change_status(
        connection,
        viewer,
        order,
        row,
        status,
        action=SubscriptionAction.CANCEL if cancel else SubscriptionAction.RESUME,
        reason=reason,
    )
    add_event(
        connection,
        viewer,
        order,
        Event.SUBSCRIPTION_CANCELLED if cancel else Event.SUBSCRIPTION_RESUMED,
        subscription=row.subscription_id,
        because=f". Reason: {reason}" if reason else "",
    )
    label = RENEWAL_DEACTIVATED if cancel else RENEWAL_ACTIVATED
    return ActionResult(
        f"{label} for order {order.order_name}.",
        {"subscription": row.subscription_id, "from": row.status, "to": status},
    )


def shows_subscription(type_: str, parent_order_id: int | None, order_id: int, was_paid: bool) -> bool:
    """AR and PMR only; the parent order once it was paid, a child order always."""
    is_child = parent_order_id not in (None, order_id)
    return type_ in SUBSCRIPTION_TYPES and (is_child or was_paid)


def _status_after_resuming(connection: Connection, row: SubscriptionRow) -> str:
    unpaid = connection.execute(
        select(func.count())
        .select_from(subscription)
        .join(orders, orders.c.order_id == subscription.c.order_id)
        .where(
            subscription.c.checkout_page_id == row.checkout_page_id,
            subscription.c.subscription_id == row.subscription_id,
            subscription.c.parent_order_id.is_not(None),
            subscription.c.parent_order_id != subscription.c.order_id,
            orders.c.status == MainStatus.NOT_PAID,
        )
    ).scalar_one()
    return NOT_PAID if unpaid else ACTIVE


def _change_status(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    row: SubscriptionRow,
    status: str,
    *,
    action: str,
    reason: str,
) -> None:
    """Change the status in every order with the subscription, so that parent and children agree, and file the event."""
    connection.execute(
        update(subscription)
        .where(
            subscription.c.checkout_page_id == row.checkout_page_id,
            subscription.c.subscription_id == row.subscription_id,
        )
        .values(
            status=status,
            changed_at=func.now(),
            changed_by=viewer.email,
            change_reason=reason or f"{action.capitalize()} in the support portal",
        )
    )
    connection.execute(
        insert(subscription_event)
        .inline()
        .values(
            checkout_page_id=row.checkout_page_id,
            subscription_id=row.subscription_id,
            action=action,
            from_status=row.status,
            to_status=status,
            order_id=order.order_id,
            account_id=viewer.account_id,
            changed_by=viewer.name,
            reason=reason or None,
        )
    )
