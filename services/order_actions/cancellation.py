"""Cancelling an order that was never paid."""

from sqlalchemy import Connection, func, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import orders
from db.schema.statuses import MainStatus
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict
from services.events.event_types import EventType
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.locking import lock_order
from services.text.input import REASON_LIMIT, checked_text


class OrderNotCancelled(Conflict):
    """The order is not one that waits for its payment (any longer)."""


def why_not_cancelled_unpaid(*, status: str) -> str | None:
    """None when an order of this main status can be cancelled, else the reason."""
    if status == MainStatus.NOT_PAID:
        return None
    if status == MainStatus.PAID:
        return "The order is Paid. A paid order is ended by a refund."
    return f"The order is {MainStatus(status).label} already."


@action(AuditAction.CANCEL_ORDER)
def cancel_unpaid_order(
    connection: Connection, viewer: Viewer, order_id: int, *, reason: str
) -> ActionResult:
    """Set an unpaid order to Deleted. `reason` has 500 characters at most.

    A document of the shop that still says Not paid does not undo it; one that says Paid does, whatever its date: the
    customer's money counts (db/statements/importing/import_update.sql). Raises `OrderNotFound`, `NotAllowed`,
    `OrderNotCancelled`, and `InvalidInput` with `field` "reason".
    """
    reason = checked_text(reason, field="reason", name="Reason", limit=REASON_LIMIT)
    order = lock_order(connection, viewer, order_id)
    if why_not := why_not_cancelled_unpaid(status=order.status):
        raise OrderNotCancelled(why_not)
    connection.execute(
        update(orders)
        .where(orders.c.order_id == order_id)
        .values(status=MainStatus.DELETED, cancelled_at=func.now())
    )
    add_event(connection, viewer, order, Event.ORDER_CANCELLED, reason=reason)
    announce(connection, EventType.ORDER_CANCELLED, order)
    return ActionResult(f"Order {order.order_name} was cancelled; it is Deleted now.", {"reason": reason})
