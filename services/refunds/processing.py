"""The actions of refund operators on a request. Their view of the queue is in `services.refunds.queue`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import Connection, func, insert, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import order_item, orders
from db.schema.refund_tables import refund_request_item
from db.schema.statuses import MailKind, MainStatus, RefundResult, RefundStatus
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, OrderNotFound
from services.mail.outbox import queue_mail
from services.money import format_money
from services.order_actions.history import Event, add_event
from services.order_actions.licences import delete_codes_of
from services.order_actions.locking import LockedOrder
from services.order_actions.subscriptions import stop_subscriptions
from services.refunds.document import add_refund_document
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

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestNotTaken` (when another operator has it).
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
    a refund document; the requester is mailed. Raises as `take_request` does, and `InvalidInput` with `field`
    "positions" or "note".
    """
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = lock_request(connection, viewer, request_id, with_related=stop_renewal)
    check_taken(viewer, request)
    refund = _choose_items(connection, order, positions, expected_amount)
    _mark_refunded(connection, order, None if refund.is_full else refund.positions)
    copies_deleted = delete_codes_of(connection, order.order_id, refund.positions if delete_codes else [])
    stopped: list[str] = []
    if stop_renewal:
        reason = f"Refund: {note}"[:2000]
        stopped = stop_subscriptions(connection, viewer, order, refund.positions, reason=reason)
    _add_lines(connection, order, request_id, refund.items)
    _add_completed_event(connection, viewer, order, refund, note)
    document_id = add_refund_document(connection, viewer, order, refund.items, request_id=request_id)
    details = refund.details(order.currency) | {
        "codes deleted": delete_codes,
        "copies of codes deleted": copies_deleted,
        "subscriptions stopped": len(stopped),
    }
    columns = {
        "amount": refund.amount,
        "currency": order.currency,
        "delete_codes": delete_codes,
        "stop_subscriptions": stop_renewal,
        "document_id": document_id,
    }
    sentence = f" {refund.sum_text} refunded."
    return _close_request(
        connection, viewer, order, request, refund.result, note,
        details=details, columns=columns, sum_sentence=sentence,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Refund:
    """The items that are refunded and their sum; `is_full` if no refundable item of the order is left."""

    items: list[RefundedItem]
    amount: Decimal
    sum_text: str
    is_full: bool

    @property
    def positions(self) -> list[int]:
        return [item.position for item in self.items]

    @property
    def result(self) -> RefundResult:
        return RefundResult.FULL if self.is_full else RefundResult.PARTIAL

    def details(self, currency: str) -> dict[str, object]:
        """What the audit log keeps of it."""
        shares = [format_money(item.amount, currency) for item in self.items]
        return {"items": self.positions, "sum": self.sum_text, "shares": shares}


def _choose_items(
    connection: Connection, order: LockedOrder, positions: Sequence[int], expected_amount: Decimal
) -> _Refund:
    """Decide the refund's items and sum under the order's lock. Raises `InvalidInput` and `SumChanged`."""
    if order.status != MainStatus.PAID:
        raise Conflict("This order is no longer Paid. Refuse the request or mark it as failed.")
    plan = find_plan(connection, order.order_id)
    if plan is None:
        raise OrderNotFound
    items = plan.choose(positions)
    chosen_positions = [item.position for item in items]
    amount = plan.sums.sum_of(chosen_positions)
    sum_text = format_money(amount, order.currency)
    if amount != expected_amount:
        raise SumChanged(
            f"The order has changed: these items come to {sum_text} now. Please check the sum again."
        )
    return _Refund(items, amount, sum_text, is_full=set(plan.sums.shares) <= set(chosen_positions))


def _add_completed_event(
    connection: Connection, viewer: Viewer, order: LockedOrder, refund: _Refund, note: str
) -> None:
    positions = refund.positions
    add_event(
        connection,
        viewer,
        order,
        Event.REFUND_COMPLETED,
        result=refund.result.mail_phrase,
        amount=refund.sum_text,
        items=f"item{'s' if len(positions) > 1 else ''} {', '.join(map(str, positions))}",
        status="Status: Deleted. " if refund.is_full else "",
        note=note,
    )


def _mark_refunded(connection: Connection, order: LockedOrder, positions: Sequence[int] | None) -> None:
    """Mark the items refunded, or all of them together with the order when `positions` is None."""
    statement = update(order_item).where(order_item.c.order_id == order.order_id)
    if positions is None:
        connection.execute(
            update(orders).where(orders.c.order_id == order.order_id).values(status=MainStatus.DELETED)
        )
    else:
        statement = statement.where(order_item.c.position.in_(positions))
    connection.execute(statement.values(refunded=True))


def _add_lines(
    connection: Connection, order: LockedOrder, request_id: int, chosen: Sequence[RefundedItem]
) -> None:
    connection.execute(
        insert(refund_request_item).inline(),
        [
            {
                "refund_request_id": request_id,
                "order_id": order.order_id,
                "checkout_page_id": order.checkout_page_id,
                "position": item.position,
                "quantity": item.quantity,
                "amount": item.amount,
            }
            for item in chosen
        ],
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
    outcome = "the request was refused" if result is RefundResult.REFUSED else "the refund failed"
    add_event(connection, viewer, order, Event.REFUND_REFUSED, result=outcome, note=note)
    return _close_request(connection, viewer, order, request, result, note)


def _close_request(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    request: LockedRequest,
    result: RefundResult,
    note: str,
    *,
    details: Mapping[str, object] = MappingProxyType({}),
    columns: Mapping[str, object] = MappingProxyType({}),
    sum_sentence: str = "",
) -> ActionResult:
    """Close the request with its result, further `columns` and a mail to the requester; `details` are audited."""
    is_done = result in (RefundResult.FULL, RefundResult.PARTIAL)
    update_request(
        connection,
        request,
        status=RefundStatus.COMPLETED if is_done else RefundStatus.REFUSED,
        result=result.value,
        closed_by=viewer.account_id,
        closed_by_name=viewer.name,
        closed_at=func.now(),
        note=note,
        **columns,
    )
    queue_mail(
        connection,
        kind=MailKind.REFUND,
        to_address=request.requester_email,
        to_name=request.requester_name,
        template_values={"order_name": order.order_name, "result": result.mail_phrase},
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        account_id=request.requested_by,
    )
    sentence = {
        RefundResult.FULL: "Full refund completed for order {}.",
        RefundResult.PARTIAL: "Partial refund completed for order {}.",
        RefundResult.REFUSED: "The refund for order {} was refused.",
        RefundResult.FAILED: "The refund for order {} was marked as failed.",
    }[result]
    return ActionResult(
        sentence.format(order.order_name) + sum_sentence,
        {"request": request.id, "result": result.value, **details},
    )
