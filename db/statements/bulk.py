"""What decides whether many orders can be acted on: a statement per table, for any number of orders.

Each is built once and takes `order_ids`; row-level security leaves out what the viewer may not see.
"""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final

from sqlalchemy import (
    BigInteger,
    Select,
    Update,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.bulk_states import BulkOrderState, BulkState
from db.schema.bulk_tables import bulk_run, bulk_run_order
from db.schema.connection_states import AwaitedKind, AwaitedState
from db.schema.connection_tables import awaited_action
from db.schema.order_tables import activation_code, checkout_page, order_item, orders, subscription
from db.schema.refund_tables import refund_request

_ORDER_IDS: Final = bindparam("order_ids", type_=ARRAY(BigInteger))
_RUN: Final = bindparam("run", type_=BigInteger)

OrderRow = tuple[int, str, str, Decimal, str, datetime | None, bool, str | None, bool, bool]
CodeRow = tuple[int, int, str, bool, bool]
SubscriptionRow = tuple[int, int, str, str, int | None, bool]


@cache
def orders_statement() -> Select[OrderRow]:
    """The orders, each with the rules of its store."""
    return (
        select(
            orders.c.order_id,
            orders.c.order_name,
            orders.c.status,
            orders.c.total,
            orders.c.currency,
            orders.c.paid_at,
            orders.c.customer_erased,
            orders.c.email,
            checkout_page.c.delivery_allowed,
            checkout_page.c.refund_again_after_partial,
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(orders.c.order_id == any_(_ORDER_IDS))
    )


@cache
def requests_statement() -> Select[tuple[int, str, str | None]]:
    """Status and result of the orders' refund requests."""
    return select(refund_request.c.order_id, refund_request.c.status, refund_request.c.result).where(
        refund_request.c.order_id == any_(_ORDER_IDS)
    )


@cache
def codes_statement() -> Select[CodeRow]:
    """The orders' activation codes in the order of the page, each with whether its item is refunded."""
    code, item = activation_code, order_item
    return (
        select(code.c.order_id, code.c.id, code.c.code_key, code.c.deleted, item.c.refunded)
        .join(item, and_(item.c.order_id == code.c.order_id, item.c.position == code.c.position))
        .where(code.c.order_id == any_(_ORDER_IDS))
        .order_by(code.c.order_id, code.c.position, code.c.number)
    )


@cache
def subscriptions_statement(open_states: tuple[AwaitedState, ...]) -> Select[SubscriptionRow]:
    """The subscriptions of the orders' items; a change in one of `open_states` waits to be confirmed."""
    part = subscription
    awaited = exists().where(
        awaited_action.c.checkout_page_id == part.c.checkout_page_id,
        awaited_action.c.subject == part.c.subscription_id,
        awaited_action.c.kind.in_([AwaitedKind.CANCEL_SUBSCRIPTION, AwaitedKind.RESUME_SUBSCRIPTION]),
        awaited_action.c.state.in_(open_states),
    )
    return (
        select(
            part.c.order_id,
            part.c.position,
            part.c.type,
            part.c.status,
            part.c.parent_order_id,
            awaited.label("is_awaited"),
        )
        .where(part.c.order_id == any_(_ORDER_IDS))
        .order_by(part.c.order_id, part.c.position)
    )


@cache
def claim_statement() -> Update:
    """Take the next waiting order of a run that goes on and mark it done, in the transaction that acts on it.

    An order that another worker has taken is passed over; one that was tried in vain comes after the others.
    """
    waiting = bulk_run_order.alias("waiting")
    following = (
        select(waiting.c.run_id, waiting.c.number)
        .join(bulk_run, bulk_run.c.id == waiting.c.run_id)
        .where(
            waiting.c.run_id == _RUN,
            waiting.c.state == BulkOrderState.WAITING,
            bulk_run.c.state == BulkState.RUNNING,
            ~bulk_run.c.stop_requested,
        )
        .order_by(waiting.c.attempts, waiting.c.number)
        .limit(1)
        .with_for_update(of=waiting, skip_locked=True)
        .subquery()
    )
    return (
        update(bulk_run_order)
        .where(bulk_run_order.c.run_id == following.c.run_id, bulk_run_order.c.number == following.c.number)
        .values(state=BulkOrderState.DONE, settled_at=func.now())
        .returning(bulk_run_order.c.number, bulk_run_order.c.order_id, bulk_run_order.c.attempts)
    )


@cache
def finish_statement() -> Update:
    """End a run of which nothing is left to do, or that is to stop. Orders under way elsewhere are still waiting."""
    is_left = exists().where(
        bulk_run_order.c.run_id == bulk_run.c.id, bulk_run_order.c.state == BulkOrderState.WAITING
    )
    return (
        update(bulk_run)
        .where(
            bulk_run.c.id == _RUN,
            bulk_run.c.state == BulkState.RUNNING,
            bulk_run.c.stop_requested | ~is_left,
        )
        .values(
            state=case((is_left, literal(BulkState.STOPPED)), else_=literal(BulkState.DONE)),
            finished_at=func.now(),
            entered_text=None,
        )
    )
