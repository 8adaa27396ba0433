"""The answers to refunds that were recorded here (decision 026). Run as the jobs' role."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection, func, select

from db.schema.order_tables import order_history
from db.schema.refund_tables import refund_request
from db.schema.statuses import MailKind, RefundResult, RefundStatus
from services.access import RecordedAuthor
from services.events.awaiting import AwaitedAction, NotCarriedOut
from services.events.event_types import EventType
from services.mail.outbox import queue_mail
from services.money import format_money
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_answer_event, line
from services.order_actions.locking import LockedOrder, lock_order_rows
from services.order_actions.subscription_changes import related_orders
from services.refunds.completion import complete_refund, turn_down
from services.refunds.decided import Refund, refund_of
from services.refunds.plans import find_plan
from services.refunds.request_lock import find_open_request
from services.refunds.sums import allot


def name_of_refund(action: AwaitedAction) -> str:
    """The name of the refund in sentences."""
    refund = refund_of(action.wish)
    return f"refund of {refund.sum_text} ({refund.items_text})"


def lock_refund(connection: Connection, action: AwaitedAction) -> LockedOrder | None:
    """Lock the order, and those of its subscriptions when they are to be stopped; None when it is gone."""
    stops = refund_of(action.wish).stop_renewal
    order_ids = related_orders(connection, action.order_id) if stops else [action.order_id]
    return lock_order_rows(connection, order_ids).get(action.order_id)


def carry_out_confirmed(
    connection: Connection,
    author: RecordedAuthor,
    order: LockedOrder,
    action: AwaitedAction,
    told: Decimal | None,
) -> None:
    """Complete the refund as it was wished; `told` is the sum that the other side gave back, None when it did not say.

    What was wished and sent out counts and not what the order would come to now: a document of the shop may have marked
    the items as refunded before the answer came. Raises `NotCarriedOut`.
    """
    request = find_open_request(connection, int(action.subject))
    if request is None:
        raise NotCarriedOut("The refund request had been closed before.")
    wished = refund_of(action.wish)
    if order.currency != wished.currency:
        raise NotCarriedOut(f"The order is in {order.currency} now.")
    plan = find_plan(connection, order.order_id)
    refund = wished
    counts = _sum_that_counts(connection, order, wished.amount if told is None else told)
    if counts != wished.amount or told not in (None, wished.amount):
        _add_difference(
            connection, order, action, told if told is not None else wished.amount, counts, wished
        )
        refund = _with_sum(refund, counts, {} if plan is None else plan.sums.shares)
    refund = replace(refund, is_full=plan is None or plan.is_full(refund.items))
    complete_refund(connection, author, order, request, refund, confirmed_by=action.asked)


def turn_down_refused(
    connection: Connection, author: RecordedAuthor, order: LockedOrder, action: AwaitedAction, message: str
) -> bool:
    """Close the request as failed; False when it was closed before, or waits for an answer to another try."""
    request = find_open_request(connection, int(action.subject))
    if request is None or request.is_awaited or request.status != RefundStatus.UPDATING:
        return False
    note = f"Refused by {action.asked}: {message}"
    turn_down(connection, author, order, request, RefundResult.FAILED, note)
    return True


def add_taken_back(connection: Connection, order: LockedOrder, action: AwaitedAction, message: str) -> bool:
    """Say in the history, to the requester and to the shop that a confirmed refund has failed; False if said before."""
    values = {"action": name_of_refund(action), "asked": action.asked, "message": message}
    _, sentence = line(Event.ANSWER_TAKEN_BACK, **values)
    said_before = select(order_history.c.id).where(
        order_history.c.order_id == order.order_id, order_history.c.text == sentence
    )
    if connection.execute(said_before.limit(1)).first() is not None:
        return False
    add_answer_event(
        connection,
        Event.ANSWER_TAKEN_BACK,
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        **values,
    )
    announce(
        connection,
        EventType.REFUND_FAILED,
        order,
        {"request_id": int(action.subject), "result": RefundResult.FAILED.value},
    )
    requester = connection.execute(
        select(
            refund_request.c.requester_email, refund_request.c.requester_name, refund_request.c.requested_by
        ).where(refund_request.c.id == int(action.subject))
    ).one_or_none()
    if requester is not None:
        queue_mail(
            connection,
            kind=MailKind.REFUND,
            to_address=requester.requester_email,
            to_name=requester.requester_name,
            template_values={"order_name": order.order_name, "result": RefundResult.FAILED.mail_phrase},
            order_id=order.order_id,
            store_id=order.checkout_page_id,
            account_id=requester.requested_by,
        )
    return True


def _sum_that_counts(connection: Connection, order: LockedOrder, told: Decimal) -> Decimal:
    """At most what was paid and is not given back yet: the tables hold no more, and the documents neither."""
    given_back: Decimal = connection.execute(
        select(func.coalesce(func.sum(refund_request.c.amount), 0)).where(
            refund_request.c.order_id == order.order_id,
            refund_request.c.status == RefundStatus.COMPLETED,
            refund_request.c.currency == order.currency,
        )
    ).scalar_one()
    return max(min(told, order.total - given_back), Decimal(0))


def _with_sum(refund: Refund, amount: Decimal, left: Mapping[int, Decimal]) -> Refund:
    """The refund with another sum, shared out over its items as the wished one was.

    A part that comes to all that is `left` of its item settles the item.
    """
    shares = allot(amount, refund.currency, {item.position: item.amount for item in refund.items})
    items = tuple(
        replace(
            item,
            amount=shares[item.position],
            is_whole=item.is_whole or 0 < left.get(item.position, Decimal(0)) <= shares[item.position],
        )
        for item in refund.items
    )
    return replace(refund, items=items, amount=amount, falls_short=amount < refund.amount)


def _add_difference(
    connection: Connection,
    order: LockedOrder,
    action: AwaitedAction,
    told: Decimal,
    counts: Decimal,
    wished: Refund,
) -> None:
    capped = (
        f". No more than {format_money(counts, order.currency)} was left of the order"
        if counts != told
        else ""
    )
    add_answer_event(
        connection,
        Event.REFUND_SUM_DIFFERS,
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        asked=action.asked,
        told=format_money(told, order.currency),
        wished=wished.sum_text,
        capped=capped,
    )
