"""Internal notes: what the team tells itself about an order. Never on the customer's page, never in a mail."""

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from services.access import Viewer
from services.actions import ActionResult, action
from services.order_actions.history import Event, add_event
from services.order_actions.locking import lock_order
from services.text.input import NOTE_LIMIT, checked_text


@action(AuditAction.ADD_NOTE)
def add_note(connection: Connection, viewer: Viewer, order_id: int, *, text: str) -> ActionResult:
    """Add a note to the order's history. Raises `OrderNotFound`, `NotAllowed`, `InvalidInput` (field `text`)."""
    text = checked_text(text, field="text", name="The note", limit=NOTE_LIMIT)
    order = lock_order(connection, viewer, order_id)
    add_event(connection, viewer, order, Event.NOTE, text=text)
    return ActionResult(f"The note was added to order {order.order_name}.")
