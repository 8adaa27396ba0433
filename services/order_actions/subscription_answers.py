"""The shop's answers to changes of subscriptions that were recorded here (decision 026). Run as the jobs' role."""

from sqlalchemy import Connection

from db.schema.connection_states import AwaitedKind
from db.schema.order_tables import subscription
from services.access import RecordedAuthor
from services.events.awaiting import AwaitedAction, NotCarriedOut
from services.events.event_types import EventType
from services.order_actions.announcements import announce
from services.order_actions.locking import LockedOrder, lock_order_rows
from services.order_actions.subscription_changes import carry_out_change, find_rows, related_orders


def name_of_change(action: AwaitedAction) -> str:
    """The name of the change in sentences."""
    what = "cancellation" if action.kind is AwaitedKind.CANCEL_SUBSCRIPTION else "resumption"
    return f"{what} of subscription {action.subject}"


def lock_change(connection: Connection, action: AwaitedAction) -> LockedOrder | None:
    """Lock the orders of the subscription; the order that the action was recorded for, None when it is gone."""
    locked = lock_order_rows(connection, related_orders(connection, action.order_id))
    return locked.get(action.order_id)


def carry_out_confirmed(
    connection: Connection, author: RecordedAuthor, order: LockedOrder, action: AwaitedAction
) -> None:
    """Change the subscription as it was wished, and tell the connections that were not asked.

    Raises `NotCarriedOut` when the order has it no more.
    """
    rows = find_rows(
        connection,
        subscription.c.order_id == order.order_id,
        subscription.c.subscription_id == action.subject,
    )
    if not rows:
        raise NotCarriedOut("The order no longer has this subscription.")
    cancel = action.kind is AwaitedKind.CANCEL_SUBSCRIPTION
    carry_out_change(
        connection,
        author,
        order,
        rows[0],
        cancel=cancel,
        reason=str(action.wish.get("reason") or ""),
        confirmed_by=action.asked,
    )
    announce(
        connection,
        EventType.CANCEL_REQUESTED if cancel else EventType.RESUME_REQUESTED,
        order,
        rows[0].event_data(),
        action_id=action.id,
        told_before=action.connection_id,
    )
