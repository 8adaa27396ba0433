"""The actions of refund operators on a request. Their view of the queue is in `services.refunds.queue`."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, func

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedKind, Topic
from db.schema.statuses import MainStatus, RefundResult, RefundStatus
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, OrderNotFound
from services.events.awaiting import ConfirmingConnection, await_action
from services.events.event_types import EventType
from services.money import format_money
from services.order_actions.announcements import announce, find_asked, payment_of
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder
from services.refunds.completion import complete_refund, turn_down
from services.refunds.decided import Refund, wish_of
from services.refunds.plans import RefundedItem, find_plan
from services.refunds.request_lock import (
    LockedRequest,
    RequestNotTaken,
    check_taken,
    lock_request,
    taken_sentence,
    update_request,
)
from services.text.input import NOTE_LIMIT, checked_text


class SumChanged(Conflict):
    """The sum of the refund differs from the confirmed one."""


@action(AuditAction.TAKE_REFUND)
def take_request(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """Take the request on for the viewer: *Refund info is being updated*.

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestAwaited`, and `RequestNotTaken` when another
    operator has it.
    """
    order, request = lock_request(connection, viewer, request_id)
    if request.status == RefundStatus.UPDATING:
        raise RequestNotTaken(taken_sentence(viewer, request))
    update_request(
        connection,
        request,
        status=RefundStatus.UPDATING,
        taken_by=viewer.account_id,
        taken_by_name=viewer.name,
        taken_at=func.now(),
    )
    add_event(connection, viewer, order, Event.REFUND_TAKEN)
    announce(connection, EventType.REFUND_TAKEN, order, {"request_id": request_id})
    return ActionResult(
        f"You have taken the refund request for order {order.order_name}.", {"request": request_id}
    )


@action(AuditAction.RELEASE_REFUND)
def release_request(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """Put the request back into the queue: for its taker and administrators. Raises as `take_request` does."""
    order, request = lock_request(connection, viewer, request_id)
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken("Nobody has taken this refund request.")
    if request.taken_by != viewer.account_id and not viewer.may_administer:
        raise RequestNotTaken(taken_sentence(viewer, request))
    update_request(
        connection, request, status=RefundStatus.REQUESTED, taken_by=None, taken_by_name=None, taken_at=None
    )
    add_event(connection, viewer, order, Event.REFUND_RELEASED)
    return ActionResult(
        f"The refund request for order {order.order_name} is back in the queue.", {"request": request_id}
    )


@action(AuditAction.FULFIL_REFUND)
def fulfil_request(
    connection: Connection,
    viewer: Viewer,
    request_id: int,
    *,
    positions: Sequence[int],
    expected_amount: Decimal,
    delete_codes: bool,
    stop_renewal: bool,
    note: str,
) -> ActionResult:
    """Close the request as *Request has been completed* for the items at `positions`.

    `expected_amount` is the sum that was shown and confirmed: the refund's sum is decided here, under the order's lock,
    and one that differs raises `SumChanged`. The items' activation codes are marked deleted and their subscriptions
    cancelled if asked for; the order becomes Deleted once all its items are refunded; payment methods that need one get
    a refund document; the requester is mailed. Where a connection of the store has to confirm it, all of that waits for
    the answer (decision 026). Raises as `take_request` does, and `InvalidInput` with `field`
    "positions" or "note".
    """
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = lock_request(connection, viewer, request_id, with_related=stop_renewal)
    check_taken(viewer, request)
    items, amount, is_full = _choose_items(connection, order, positions, expected_amount)
    refund = Refund(
        items=tuple(items),
        amount=amount,
        currency=order.currency,
        is_full=is_full,
        delete_codes=delete_codes,
        stop_renewal=stop_renewal,
        note=note,
    )
    confirming = find_asked(connection, order, Topic.REFUNDS)
    if confirming is not None:
        return _record(connection, viewer, order, request, refund, confirming)
    return complete_refund(connection, viewer, order, request, refund)


def _choose_items(
    connection: Connection, order: LockedOrder, positions: Sequence[int], expected_amount: Decimal
) -> tuple[list[RefundedItem], Decimal, bool]:
    """Decide the refund's items, its sum, and whether it is full, under the order's lock.

    Raises `InvalidInput` and `SumChanged`.
    """
    if order.status != MainStatus.PAID:
        raise Conflict("This order is no longer Paid. Refuse the request or mark it as failed.")
    plan = find_plan(connection, order.order_id)
    if plan is None:
        raise OrderNotFound
    items = plan.choose(positions)
    chosen_positions = [item.position for item in items]
    amount = plan.sums.sum_of(chosen_positions)
    if amount != expected_amount:
        sum_text = format_money(amount, order.currency)
        raise SumChanged(
            f"The order has changed: these items come to {sum_text} now. Please check the sum again."
        )
    return items, amount, set(plan.sums.shares) <= set(chosen_positions)


def _record(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    request: LockedRequest,
    refund: Refund,
    confirming: ConfirmingConnection,
) -> ActionResult:
    """Record the refund for the other side to confirm; `services.refunds.answers` carries it out."""
    action_id = await_action(
        connection,
        viewer,
        confirming,
        kind=AwaitedKind.REFUND,
        subject=str(request.id),
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        wish=wish_of(refund, request.id),
    )
    add_event(
        connection,
        viewer,
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


@action(AuditAction.REFUSE_REFUND)
def refuse_request(connection: Connection, viewer: Viewer, request_id: int, *, note: str) -> ActionResult:
    """Close the request as *Refusal to refund*. Raises as `take_request` does, and `InvalidInput` (field `note`)."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.REFUSED)


@action(AuditAction.FAIL_REFUND)
def fail_request(connection: Connection, viewer: Viewer, request_id: int, *, note: str) -> ActionResult:
    """Close the request as one that could not be executed; the order's status reads *Refusal to refund* as well."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.FAILED)


def _turn_down(
    connection: Connection, viewer: Viewer, request_id: int, note: str, result: RefundResult
) -> ActionResult:
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = lock_request(connection, viewer, request_id)
    check_taken(viewer, request)
    return turn_down(connection, viewer, order, request, result, note)
