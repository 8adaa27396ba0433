"""Deciding a refund under the order's lock, and carrying it out: at once, or once the other side confirms it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from db.errors import SqlState, sqlstate
from db.schema.connection_states import AwaitedKind, Topic
from db.schema.statuses import MainStatus
from services.access import Viewer
from services.actions import ActionResult
from services.errors import Conflict, OrderNotFound
from services.events.awaiting import ConfirmingConnection, await_action
from services.events.event_types import EventType
from services.money import format_money
from services.order_actions.announcements import announce, find_asked, payment_of
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder
from services.refunds.completion import complete_refund
from services.refunds.decided import Refund, wish_of
from services.refunds.parts import Part
from services.refunds.plans import find_plan
from services.refunds.request_lock import LockedRequest


class SumChanged(Conflict):
    """The sum of the refund differs from the confirmed one."""


class RulesChanged(Conflict):
    """The database refused the refund: the store's rules became stricter at this moment."""

    message = "The store's rules for refunds have just changed. Please try again."


def decide(
    connection: Connection,
    order: LockedOrder,
    *,
    positions: Sequence[int],
    parts: Mapping[int, Part],
    expected_amount: Decimal,
    delete_codes: bool,
    stop_renewal: bool,
    note: str,
) -> Refund:
    """The refund of these items or parts of them. Raises `InvalidInput`, `SumChanged`, `Conflict`."""
    if order.status != MainStatus.PAID:
        raise Conflict("This order is no longer Paid. Refuse the request or mark it as failed.")
    plan = find_plan(connection, order.order_id)
    if plan is None:
        raise OrderNotFound
    items = plan.choose(positions, parts)
    amount = sum((item.amount for item in items), Decimal(0))
    if amount != expected_amount:
        sum_text = format_money(amount, order.currency)
        raise SumChanged(
            f"The order has changed: these items come to {sum_text} now. Please check the sum again."
        )
    return Refund(
        items=tuple(items),
        amount=amount,
        currency=order.currency,
        is_full=plan.is_full(items),
        delete_codes=delete_codes,
        stop_renewal=stop_renewal,
        note=note,
    )


def carry_out(
    connection: Connection, author: Viewer, order: LockedOrder, request: LockedRequest, refund: Refund
) -> ActionResult:
    """Complete the refund, or record it where a connection of the store has to confirm it (decision 026).

    Raises `RulesChanged`.
    """
    confirming = find_asked(connection, order, Topic.REFUNDS)
    try:
        if confirming is not None:
            return _record(connection, author, order, request, refund, confirming)
        return complete_refund(connection, author, order, request, refund)
    except DBAPIError as error:
        if sqlstate(error) != SqlState.REFUND_RULES:
            raise
        raise RulesChanged from error


def _record(
    connection: Connection,
    author: Viewer,
    order: LockedOrder,
    request: LockedRequest,
    refund: Refund,
    confirming: ConfirmingConnection,
) -> ActionResult:
    """Record the refund for the other side to confirm; `services.refunds.answers` carries it out."""
    action_id = await_action(
        connection,
        author,
        confirming,
        kind=AwaitedKind.REFUND,
        subject=str(request.id),
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        wish=wish_of(refund, request.id),
    )
    add_event(
        connection,
        author,
        order,
        Event.REFUND_RECORDED,
        asked=confirming.asked,
        amount=refund.sum_text,
        items=refund.items_text,
        note=refund.note,
    )
    announce(
        connection,
        EventType.REFUND_APPROVED,
        order,
        {
            "request_id": request.id,
            "result": refund.result.value,
            **refund.event_data(),
            "delete_codes": refund.delete_codes,
            "stop_subscriptions": refund.stop_renewal,
            "payment": payment_of(order),
        },
        action_id=action_id,
        asked=confirming.id,
    )
    return ActionResult(
        f"The refund of {refund.sum_text} for order {order.order_name} was recorded; "
        f"{confirming.asked} has to confirm it.",
        {"request": request.id, "waits for": confirming.asked, **refund.details()},
    )
