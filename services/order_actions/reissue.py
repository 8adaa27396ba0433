"""A new activation code in place of one that was compromised: typed here, or asked for from the store's connection.

The old code stays in the order, deleted; every copy of it in the order goes with it (decision 033). Later documents of
the shop bring it back to life no more than a refunded one (db/statements/importing/import_update.sql).
"""

from typing import Final

from sqlalchemy import Connection, exists, func, select

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedKind, Topic
from db.schema.connection_tables import awaited_action
from db.schema.order_tables import orders
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput, OrderNotFound
from services.events.awaiting import OPEN_STATES, ActionAwaited, await_action, find_confirming
from services.events.event_types import EventType
from services.order_actions.announcements import announce, find_asked
from services.order_actions.code_replacement import check_new_code, replace_code
from services.order_actions.history import Event, add_event
from services.order_actions.licences import (
    LicenceCode,
    get_code,
    why_code_not_sent,
    why_order_not_sent,
)
from services.order_actions.locking import LockedOrder, lock_order
from services.text.input import REASON_LIMIT, checked_text

CODE_LIMIT: Final = 500


class LicenceNotReissued(Conflict):
    """The order, its store, its customer or the code does not allow it (now)."""


class NobodyToAsk(Conflict):
    message = "No connection of this store sends new activation codes. Please type the new code."


def find_code_sender(connection: Connection, viewer: Viewer, order_id: int) -> str | None:
    """Who can be asked for a new code of the order, as sentences call them; None when nobody can.

    Raises `OrderNotFound` for an order outside the viewer's scope.
    """
    store_id = connection.execute(
        select(orders.c.checkout_page_id).where(
            orders.c.order_id == order_id, orders.c.checkout_page_id.in_(viewer.store_ids)
        )
    ).scalar_one_or_none()
    if store_id is None:
        raise OrderNotFound
    confirming = find_confirming(connection, store_id, Topic.LICENCES)
    return None if confirming is None else confirming.asked


@action(AuditAction.REISSUE_LICENCE)
def reissue_licence(
    connection: Connection, viewer: Viewer, order_id: int, *, code_id: int, new_code: str, reason: str
) -> ActionResult:
    """Put `new_code` in place of the code and mail it to the customer, under the rules of Resend.

    `reason` has 500 characters at most. Raises `OrderNotFound`, `NotAllowed`, `CodeNotFound`, `LicenceNotReissued`,
    `ActionAwaited` while a connection was asked for the same, and `InvalidInput` (fields `new_code`, `reason`).
    """
    new_code = checked_text(new_code, field="new_code", name="The new activation code", limit=CODE_LIMIT)
    if not new_code.isprintable():
        raise InvalidInput("The new activation code must be on one line.", field="new_code")
    reason = checked_text(reason, field="reason", name="Reason", limit=REASON_LIMIT)
    order, code = _lock(connection, viewer, order_id, code_id)
    check_new_code(connection, order_id, code.code_key, new_code)
    issued = replace_code(connection, viewer, order, code, new_code, reason=reason)
    return ActionResult(
        f"The activation code of order {order.order_name} was replaced; the new one is being sent to {order.email}.",
        {"item": code.position, "code": code.number, "new code": issued.number, "reason": reason},
    )


@action(AuditAction.REISSUE_LICENCE)
def ask_for_reissue(
    connection: Connection, viewer: Viewer, order_id: int, *, code_id: int, reason: str
) -> ActionResult:
    """Ask the store's connection for a new code; its answer brings it, and until then the old one stays.

    Raises as `reissue_licence` does, and `NobodyToAsk` when no connection of the store confirms what concerns licences.
    """
    reason = checked_text(reason, field="reason", name="Reason", limit=REASON_LIMIT)
    order, code = _lock(connection, viewer, order_id, code_id)
    confirming = find_asked(connection, order, Topic.LICENCES)
    if confirming is None:
        raise NobodyToAsk
    action_id = await_action(
        connection,
        viewer,
        confirming,
        kind=AwaitedKind.REISSUE_LICENCE,
        subject=f"{order_id}/{code.position}/{code.number}",
        order_id=order_id,
        store_id=order.checkout_page_id,
        wish={"code": code.code, "position": code.position, "reason": reason},
    )
    add_event(
        connection,
        viewer,
        order,
        Event.REISSUE_RECORDED,
        old=code.code,
        asked=confirming.asked,
        reason=reason,
    )
    announce(
        connection,
        EventType.REISSUE_REQUESTED,
        order,
        {"item_id": code.item_id or str(code.position), "code_number": code.number, "code": code.code},
        action_id=action_id,
        asked=confirming.id,
    )
    return ActionResult(
        f"A new activation code for order {order.order_name} was asked for; {confirming.asked} has to send it.",
        {"item": code.position, "code": code.number, "reason": reason, "waits for": confirming.asked},
    )


def _lock(
    connection: Connection, viewer: Viewer, order_id: int, code_id: int
) -> tuple[LockedOrder, LicenceCode]:
    """The order, locked, and its code, which may be replaced; raises as `reissue_licence` does."""
    order = lock_order(connection, viewer, order_id)
    code = get_code(connection, order_id, code_id)
    why_not = why_code_not_replaced(connection, order_id, code) or why_order_not_sent(connection, order)
    if why_not:
        raise LicenceNotReissued(why_not)
    is_awaited = exists().where(
        awaited_action.c.order_id == order_id,
        awaited_action.c.kind == AwaitedKind.REISSUE_LICENCE,
        awaited_action.c.state.in_(OPEN_STATES),
        func.fold(awaited_action.c.wish["code"].astext) == code.code_key,
    )
    if connection.execute(select(is_awaited)).scalar_one():
        raise ActionAwaited("A new activation code was asked for already; the answer is still to come.")
    return order, code


def why_code_not_replaced(connection: Connection, order_id: int, code: LicenceCode) -> str | None:
    """None when the code is alive on an item that is not refunded, else the reason."""
    if code.refunded:
        return "This item is refunded; its licence is not issued again."
    return why_code_not_sent(connection, order_id, code)
