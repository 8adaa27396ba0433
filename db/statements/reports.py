"""The statements behind the Reports page. All are about the orders that match a search."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Numeric, Select, cast, func, literal, select, tuple_

from db.schema.order_tables import order_history, orders, subscription, subscription_event
from db.schema.refund_tables import refund_request
from db.schema.statuses import (
    SUBSCRIPTION_TYPES,
    HistoryKind,
    MainStatus,
    RefundResult,
    RefundStatus,
    Source,
)
from db.statements.conditions import SearchValues, matching


def totals_statement(
    values: SearchValues, store_ids: Sequence[int], *, zone: str
) -> Select[date | None, int | None, str, int, int, Decimal]:
    """Orders, paid ones and revenue, by day and currency and by store and currency, in one pass.

    `day` is the day of creation in `zone`; it is None in the rows of stores, and `checkout_page_id` in those of days.
    Revenue is the total of the orders that are Paid now.
    """
    day = cast(func.timezone(zone, orders.c.created_at), Date).label("day")
    is_paid = orders.c.status == MainStatus.PAID
    # By all three first: PostgreSQL does that in parallel, but grouping sets in a single process.
    small = (
        select(
            day,
            orders.c.checkout_page_id,
            orders.c.currency,
            func.count().label("orders"),
            func.count().filter(is_paid).label("paid"),
            func.sum(orders.c.total).filter(is_paid).label("revenue"),
        )
        .where(matching(values, store_ids))
        .group_by(day, orders.c.checkout_page_id, orders.c.currency)
        .subquery()
    )
    return select(
        small.c.day,
        small.c.checkout_page_id,
        small.c.currency,
        cast(func.sum(small.c.orders), BigInteger).label("orders"),
        cast(func.sum(small.c.paid), BigInteger).label("paid"),
        func.coalesce(func.sum(small.c.revenue), literal(0, Numeric)).label("revenue"),
    ).group_by(
        func.grouping_sets(
            tuple_(small.c.day, small.c.currency), tuple_(small.c.checkout_page_id, small.c.currency)
        )
    )


def refunds_statement(values: SearchValues, store_ids: Sequence[int]) -> Select[Any]:
    """The results of the refund requests for these orders: a row per store, and one for all, whose store is None.

    Medians cannot be added up, so the row for all is computed beside those of the stores, in the same pass.
    """
    closed = refund_request.c.closed_at.is_not(None)
    hours = func.extract("epoch", refund_request.c.closed_at - refund_request.c.requested_at) / 3600
    return (
        select(
            orders.c.checkout_page_id,
            func.count().label("requests"),
            func.count(refund_request.c.order_id.distinct()).label("orders"),
            func.count().filter(~closed).label("open"),
            *[
                func.count().filter(refund_request.c.result == result).label(result)
                for result in RefundResult
            ],
            func.percentile_cont(0.5).within_group(hours).filter(closed).label("median_hours"),
        )
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .where(matching(values, store_ids))
        .group_by(func.grouping_sets(tuple_(orders.c.checkout_page_id), tuple_()))
    )


def given_back_statement(values: SearchValues, store_ids: Sequence[int]) -> Select[int, str, Decimal, int]:
    """The sums refunded for these orders, by store and currency; `unknown` counts refunds without a recorded sum."""
    currency = func.coalesce(refund_request.c.currency, orders.c.currency)
    return (
        select(
            orders.c.checkout_page_id,
            currency.label("currency"),
            func.coalesce(func.sum(refund_request.c.amount), literal(0, Numeric)).label("amount"),
            func.count().filter(refund_request.c.amount.is_(None)).label("unknown"),
        )
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .where(matching(values, store_ids), refund_request.c.status == RefundStatus.COMPLETED)
        .group_by(orders.c.checkout_page_id, currency)
    )


def reasons_statement(values: SearchValues, store_ids: Sequence[int], *, most: int) -> Select[str]:
    """The latest reasons for which refunds of these orders were requested."""
    return (
        select(refund_request.c.reason)
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .where(matching(values, store_ids))
        .order_by(refund_request.c.id.desc())
        .limit(most)
    )


def resends_statement(values: SearchValues, store_ids: Sequence[int]) -> Select[int, str, int]:
    """The number of licence mails of the portal that the mail server has accepted for these orders, by store.

    As in the two statements below, the columns are `checkout_page_id`, `name` and `number`; here `name` is always the
    same.
    """
    return (
        select(orders.c.checkout_page_id, order_history.c.kind.label("name"), func.count().label("number"))
        .select_from(order_history.join(orders, orders.c.order_id == order_history.c.order_id))
        .where(
            order_history.c.source == Source.PORTAL,
            order_history.c.kind == HistoryKind.EMAIL,
            matching(values, store_ids),
        )
        .group_by(orders.c.checkout_page_id, order_history.c.kind)
    )


def subscriptions_statement(values: SearchValues, store_ids: Sequence[int]) -> Select[int, str, int]:
    """The number of subscriptions of these orders, by store and present status."""
    # Distinct rows first: to count distinct pairs, PostgreSQL would sort them as records, which takes twice as long.
    subscriptions = (
        select(subscription.c.checkout_page_id, subscription.c.subscription_id, subscription.c.status)
        .join(orders, orders.c.order_id == subscription.c.order_id)
        .where(matching(values, store_ids), subscription.c.type.in_(SUBSCRIPTION_TYPES))
        .distinct()
        .subquery()
    )
    return select(
        subscriptions.c.checkout_page_id,
        subscriptions.c.status.label("name"),
        func.count().label("number"),
    ).group_by(subscriptions.c.checkout_page_id, subscriptions.c.status)


def changes_statement(values: SearchValues, store_ids: Sequence[int]) -> Select[int, str, int]:
    """The number of changes that were made here to the subscriptions of these orders, by store and action."""
    return (
        select(
            subscription_event.c.checkout_page_id,
            subscription_event.c.action.label("name"),
            func.count().label("number"),
        )
        .join(orders, orders.c.order_id == subscription_event.c.order_id)
        .where(matching(values, store_ids))
        .group_by(subscription_event.c.checkout_page_id, subscription_event.c.action)
    )
