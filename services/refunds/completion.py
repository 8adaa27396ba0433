"""A refund as it is carried out: items, codes and subscriptions, the order's status, the document, the mail.

Who decided it, and on what, is in `services.refunds.processing`; where a shop or a provider has to confirm it first,
what was decided waits as the wish of an awaited action (decision 026).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection, func, insert, update

from db.schema.order_tables import order_item, orders
from db.schema.refund_tables import refund_request_item
from db.schema.statuses import MailKind, MainStatus, RefundResult, RefundStatus
from services.access import Author
from services.actions import ActionResult
from services.events.event_types import EventType
from services.mail.outbox import queue_mail
from services.order_actions.announcements import announce, payment_of
from services.order_actions.history import Event, add_event
from services.order_actions.licences import delete_codes_of
from services.order_actions.locking import LockedOrder
from services.order_actions.subscription_changes import stop_subscriptions
from services.refunds.customer_mail import tell_customer
from services.refunds.decided import Refund
from services.refunds.document import add_refund_document
from services.refunds.plans import RefundedItem
from services.refunds.request_lock import LockedRequest, update_request


def complete_refund(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    request: LockedRequest,
    refund: Refund,
    *,
    confirmed_by: str | None = None,
) -> ActionResult:
    """Close the request as *Request has been completed*, with all that belongs to it, under the order's lock.

    `confirmed_by` names the other side whose word this is, None when it is ours.
    """
    _mark_refunded(connection, order, None if refund.is_full else refund.settled_positions)
    copies = delete_codes_of(
        connection, order.order_id, refund.settled_positions if refund.delete_codes else []
    )
    stopped: list[str] = []
    if refund.stop_renewal:
        reason = f"Refund: {refund.note}"[:2000]
        stopped = stop_subscriptions(connection, author, order, refund.settled_positions, reason=reason)
    _add_lines(connection, order, request.id, refund.items)
    _add_completed_event(connection, author, order, refund, confirmed_by)
    document_id = add_refund_document(connection, author, order, refund.items, request_id=request.id)
    is_customer_told = tell_customer(connection, author, order, refund)
    details = refund.details() | {
        "codes deleted": refund.delete_codes,
        "copies of codes deleted": len(copies),
        "subscriptions stopped": len(stopped),
        **({"customer told": True} if is_customer_told else {}),
    }
    columns = {
        "amount": refund.amount,
        "currency": order.currency,
        "delete_codes": refund.delete_codes,
        "stop_subscriptions": refund.stop_renewal,
        "document_id": document_id,
    }
    codes = list(dict.fromkeys(copies))
    _announce_completed(connection, order, request, refund, codes, stopped)
    sentence = f" {refund.sum_text} refunded."
    return _close_request(
        connection, author, order, request, refund.result, refund.note,
        details=details, columns=columns, sum_sentence=sentence,
    )  # fmt: skip


def _add_completed_event(
    connection: Connection, author: Author, order: LockedOrder, refund: Refund, confirmed_by: str | None
) -> None:
    status = (f"Confirmed by {confirmed_by}. " if confirmed_by else "") + (
        "Status: Deleted. " if refund.is_full else ""
    )
    add_event(
        connection,
        author,
        order,
        Event.REFUND_COMPLETED,
        result=refund.result.mail_phrase,
        amount=refund.sum_text,
        items=refund.items_text,
        status=status,
        note=refund.note,
    )


def turn_down(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    request: LockedRequest,
    result: RefundResult,
    note: str,
) -> ActionResult:
    """Close the request as *Refusal to refund*: refused, or failed."""
    is_refusal = result is RefundResult.REFUSED
    outcome = "the request was refused" if is_refusal else "the refund failed"
    add_event(connection, author, order, Event.REFUND_REFUSED, result=outcome, note=note)
    announce(
        connection,
        EventType.REFUND_REFUSED if is_refusal else EventType.REFUND_FAILED,
        order,
        {"request_id": request.id, "result": result.value},
    )
    return _close_request(connection, author, order, request, result, note)


def _announce_completed(
    connection: Connection,
    order: LockedOrder,
    request: LockedRequest,
    refund: Refund,
    codes: list[str],
    stopped: list[str],
) -> None:
    announce(
        connection,
        EventType.REFUND_COMPLETED,
        order,
        {
            "request_id": request.id,
            "result": refund.result.value,
            **refund.event_data(),
            "codes_deleted": codes,
            "subscriptions_stopped": stopped,
            "payment": payment_of(order),
        },
    )
    if codes:
        announce(connection, EventType.CODES_DELETED, order, {"request_id": request.id, "codes": codes})


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
                "is_whole": item.is_whole,
            }
            for item in chosen
        ],
    )


def _close_request(
    connection: Connection,
    author: Author,
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
        closed_by=author.account_id,
        closed_by_name=author.name,
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
