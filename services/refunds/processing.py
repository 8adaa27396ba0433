"""The refund queue: what refund operators do with a request. See `services.refunds.queue` for what they look at."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.statuses import MailKind, RefundResult, RefundStatus
from db.schema.tables import order_item, orders, refund_request, refund_request_item
from services.access import Permission, Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, NotFound, OrderNotFound
from services.mail.outbox import queue_mail
from services.money import format_money
from services.order_actions.history import Event, add_event
from services.order_actions.licences import delete_codes_of
from services.order_actions.locking import LockedOrder, lock_orders
from services.order_actions.subscriptions import related_orders, stop_subscriptions
from services.refunds.document import add_refund_document
from services.refunds.plans import RefundedItem, find_plan
from services.text.input import NOTE_LIMIT, checked_text
from services.text.numbers import is_bigint


class RequestNotFound(NotFound):
    message = "There is no such refund request among the stores you can see."


class RequestClosed(Conflict):
    message = "This refund request has been closed already."


class SumChanged(Conflict):
    """What the refund comes to is not what was confirmed."""


class RequestNotTaken(Conflict):
    """Somebody else works on it, or nobody does yet."""

    message = "Take the refund request first."


@action(AuditAction.TAKE_REFUND)
def take_request(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """The viewer works on it from now on: *Refund info is being updated*.

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestNotTaken` (when somebody else has it).
    """
    order, request = _lock_request(connection, viewer, request_id)
    if request.status == RefundStatus.UPDATING:
        raise RequestNotTaken(_taken_words(viewer, request))
    _update_request(
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
    """Puts it back into the queue. Whoever took it may, and an administrator. Raises as `take_request` does."""
    order, request = _lock_request(connection, viewer, request_id)
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken("Nobody has taken this refund request.")
    if request.taken_by != viewer.account_id and not viewer.may_administer:
        raise RequestNotTaken(_taken_words(viewer, request))
    _update_request(
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
    """Closes it as *Request has been completed* for the items at `positions`.

    `expected_amount` is the sum that was shown and confirmed: the refund's sum is decided here, under the order's lock,
    and one that differs raises `SumChanged`. The items' activation codes are marked deleted and their subscriptions
    cancelled if asked for; the order becomes Deleted once all its items are refunded; payment methods that need one get
    a refund document; the requester is mailed. Raises as `take_request` does, and `InvalidInput` with `field`
    "positions" or "note".
    """
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = _lock_request(connection, viewer, request_id, with_related=stop_renewal)
    _check_taken(viewer, request)
    if order.status != "paid":
        raise Conflict("This order is not Paid any more. Refuse the request or mark it as failed.")
    plan = find_plan(connection, order.order_id)
    if plan is None:
        raise OrderNotFound
    chosen = plan.choose(positions)
    places = [item.position for item in chosen]
    amount = plan.sums.sum_of(places)
    words = format_money(amount, order.currency)
    if amount != expected_amount:
        raise SumChanged(
            f"The order has changed: these items come to {words} now. Please check the sum again."
        )
    is_full = set(plan.sums.shares) <= set(places)
    _mark_refunded(connection, order, None if is_full else places)
    deleted = delete_codes_of(connection, order.order_id, places if delete_codes else [])
    stopped = []
    if stop_renewal:
        stopped = stop_subscriptions(connection, viewer, order, places, reason=f"Refund: {note}"[:2000])
    _add_lines(connection, order, request_id, chosen)
    result = RefundResult.FULL if is_full else RefundResult.PARTIAL
    add_event(
        connection,
        viewer,
        order,
        Event.REFUND_COMPLETED,
        result=result.mail_phrase,
        amount=words,
        items=f"item{'s' if len(places) > 1 else ''} {', '.join(map(str, places))}",
        status="Status: Deleted. " if is_full else "",
        note=note,
    )
    document_id = add_refund_document(connection, viewer, order, chosen, request_id=request_id)
    details = {
        "items": places,
        "sum": words,
        "shares": [format_money(item.amount, order.currency) for item in chosen],
        "codes deleted": delete_codes,
        "copies of codes deleted": deleted,
        "subscriptions stopped": len(stopped),
    }
    return _close_request(
        connection,
        viewer,
        order,
        request,
        result,
        note,
        details=details,
        sum_words=f" {words} refunded.",
        amount=amount,
        currency=order.currency,
        delete_codes=delete_codes,
        stop_subscriptions=stop_renewal,
        document_id=document_id,
    )


def _mark_refunded(connection: Connection, order: LockedOrder, positions: Sequence[int] | None) -> None:
    """Marks the items, or all of them together with the order when `positions` is None."""
    statement = update(order_item).where(order_item.c.order_id == order.order_id)
    if positions is None:
        connection.execute(update(orders).where(orders.c.order_id == order.order_id).values(status="deleted"))
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
    """Closes it as *Refusal to refund*. Raises as `take_request` does, and `InvalidInput` (field `note`)."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.REFUSED)


@action(AuditAction.FAIL_REFUND)
def fail_request(connection: Connection, viewer: Viewer, request_id: int, *, note: str) -> ActionResult:
    """Closes it as one that could not be carried out; the order's status reads *Refusal to refund* as well."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.FAILED)


def _turn_down(
    connection: Connection, viewer: Viewer, request_id: int, note: str, result: RefundResult
) -> ActionResult:
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = _lock_request(connection, viewer, request_id)
    _check_taken(viewer, request)
    words = "the request was refused" if result is RefundResult.REFUSED else "the refund failed"
    add_event(connection, viewer, order, Event.REFUND_REFUSED, result=words, note=note)
    return _close_request(connection, viewer, order, request, result, note, details={})


def _lock_request(
    connection: Connection, viewer: Viewer, request_id: int, *, with_related: bool = False
) -> tuple[LockedOrder, Any]:
    """The order, locked, and its request as it stands under the lock; open, or `RequestClosed`."""
    known = None
    if is_bigint(request_id):
        known = connection.execute(
            select(refund_request.c.order_id).where(refund_request.c.id == request_id)
        ).scalar_one_or_none()
    if known is None:
        raise RequestNotFound
    order_ids = related_orders(connection, known) if with_related else [known]
    order = lock_orders(connection, viewer, order_ids, Permission.WORK_REFUND_QUEUE)[known]
    request = connection.execute(select(refund_request).where(refund_request.c.id == request_id)).one()
    if request.closed_at is not None:
        raise RequestClosed
    return order, request


def _check_taken(viewer: Viewer, request: Any) -> None:
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken
    if request.taken_by != viewer.account_id:
        raise RequestNotTaken(_taken_words(viewer, request))


def _taken_words(viewer: Viewer, request: Any) -> str:
    if request.taken_by == viewer.account_id:
        return "You have taken this refund request already."
    return f"{request.taken_by_name} works on this refund request."


def _close_request(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    request: Any,
    result: RefundResult,
    note: str,
    *,
    details: dict[str, Any],
    sum_words: str = "",
    **values: Any,
) -> ActionResult:
    is_done = result in (RefundResult.FULL, RefundResult.PARTIAL)
    _update_request(
        connection,
        request,
        status=RefundStatus.COMPLETED if is_done else RefundStatus.REFUSED,
        result=result.value,
        closed_by=viewer.account_id,
        closed_by_name=viewer.name,
        closed_at=func.now(),
        note=note,
        **values,
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
    words = {
        RefundResult.FULL: "Full refund completed for order {}.",
        RefundResult.PARTIAL: "Partial refund completed for order {}.",
        RefundResult.REFUSED: "The refund for order {} was refused.",
        RefundResult.FAILED: "The refund for order {} was marked as failed.",
    }[result]
    return ActionResult(
        words.format(order.order_name) + sum_words, {"request": request.id, "result": result.value, **details}
    )


def _update_request(connection: Connection, request: Any, **values: Any) -> None:
    connection.execute(update(refund_request).where(refund_request.c.id == request.id).values(**values))
