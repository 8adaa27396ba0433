"""The end of waiting for an answer that will not come, such as of a provider that tells of no refusal."""

from uuid import UUID

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedKind
from services.access import Permission, Viewer
from services.actions import ActionResult, action
from services.connections.answers import name_of_action
from services.errors import Conflict, NotFound
from services.events.awaiting import find_action, mark_not_delivered
from services.order_actions.history import Event, add_event
from services.order_actions.locking import lock_order
from services.text.input import NOTE_LIMIT, checked_text


class ActionNotFound(NotFound):
    message = "There is no such action of this order."


@action(AuditAction.STOP_WAITING)
def stop_waiting(
    connection: Connection, viewer: Viewer, order_id: int, *, action_id: UUID, note: str
) -> ActionResult:
    """Let an action that waits for an answer end as not delivered, so that it can be done again.

    For whoever may do the action itself. An answer that comes after all counts as decided (decision 026). Raises
    `NotAllowed`, `OrderNotFound`, `ActionNotFound`, `InvalidInput` (field `note`), and `Conflict` when it is settled.
    """
    order = lock_order(connection, viewer, order_id)
    awaited = find_action(connection, action_id)
    if awaited is None or awaited.order_id != order_id:
        raise ActionNotFound
    if awaited.kind is AwaitedKind.REFUND:
        Permission.WORK_REFUND_QUEUE.require(viewer.role)
    note = checked_text(note, field="note", name="Note", limit=NOTE_LIMIT)
    name = name_of_action(awaited)
    # An answer that is being recorded at this moment has the first word.
    if not awaited.is_open or not mark_not_delivered(connection, action_id, note):
        raise Conflict(f"The {name} does not wait for an answer any longer. Please look at the order again.")
    add_event(connection, viewer, order, Event.WAITING_STOPPED, action=name, asked=awaited.asked, note=note)
    return ActionResult(
        f"The {name} of order {order.order_name} no longer waits for {awaited.asked}, and can be done again.",
        {"action": str(action_id), "kind": awaited.kind, "note": note},
    )
