"""The one statement behind search, count and export, built from a filter.

Scope comes twice: the stores are part of the statement, so that each store's own index gives its newest orders, and
row-level security stands behind it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    any_,
    bindparam,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy import literal as sql_literal
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import orders
from services.order_filter import OrderFilter, SubscriptionFilter
from services.statuses import DeliveryStatus

_TEXT_KEYS = {
    "first_name": orders.c.first_name_key,
    "last_name": orders.c.last_name_key,
    "email": orders.c.email_key,
    "company": orders.c.company_key,
    "vat_number": orders.c.vat_key,
}
ROW_COLUMNS = (
    orders.c.order_id,
    orders.c.order_name,
    orders.c.created_at,
    orders.c.paid_at,
    orders.c.currency,
    orders.c.total,
    orders.c.status,
    orders.c.delivered,
    orders.c.refund_status,
    orders.c.active_subscription,
    orders.c.cancelled_subscription,
    orders.c.first_name,
    orders.c.last_name,
    orders.c.email,
    orders.c.company_name,
    orders.c.customer_erased,
    orders.c.checkout_page_id,
)


def conditions(order_filter: OrderFilter) -> list[ColumnElement[bool]]:
    """What an order must fulfil, scope aside. Values are compared in the form that the database gives them."""
    found: list[ColumnElement[bool]] = []
    for (start, end), column in (
        (order_filter.created, orders.c.created_at),
        (order_filter.paid, orders.c.paid_at),
    ):
        if start is not None:
            found.append(column >= start)
        if end is not None:
            found.append(column < end)
    typed = order_filter.typed
    if typed.statuses:
        found.append(orders.c.status.in_(sorted(typed.statuses)))
    if len(typed.delivery) == 1:
        found.append(orders.c.delivered.is_(DeliveryStatus.DELIVERED in typed.delivery))
    if typed.refunds:
        found.append(orders.c.refund_status.in_(sorted(typed.refunds)))
    if order_filter.order_ids is not None:
        found.append(orders.c.order_id == any_(sql_literal(list(order_filter.order_ids), ARRAY(BigInteger))))
    if order_filter.phone:
        found.append(orders.c.phone_key == func.digits(order_filter.phone))
    found += [_TEXT_KEYS[name] == func.fold(value) for name, value in order_filter.texts]
    if order_filter.card_last_4:
        found.append(orders.c.card_last_4 == order_filter.card_last_4)
    if order_filter.code_fragment:
        found.append(orders.c.order_id.in_(select(func.orders_with_code(order_filter.code_fragment))))
    active, cancelled = orders.c.active_subscription, orders.c.cancelled_subscription
    match typed.subscription:
        case SubscriptionFilter.WITH:
            found.append(or_(active, cancelled))
        case SubscriptionFilter.ACTIVATED:
            found.append(active)
        case SubscriptionFilter.DEACTIVATED:
            found.append(cancelled)
    return found


def page_statement(
    order_filter: OrderFilter,
    page_ids: Sequence[int],
    *,
    limit: int,
    cursor: tuple[datetime, int] | None,
    newer: bool,
) -> Select[Any]:
    """At most `limit` orders of these stores beyond the cursor: older ones newest first, or newer ones oldest first.

    A LATERAL subquery a store: each is answered in order by an index that begins with the store, and only the first
    `limit` of each are merged. One scan over all stores would walk past everything that belongs to the others. IDs and
    codes name the orders themselves: these are looked up once, whatever the store.
    """
    pages = (
        func.unnest(sql_literal(list(page_ids), ARRAY(Integer)))
        .table_valued("page_id", name="page")
        .render_derived()
    )
    key = (orders.c.created_at, orders.c.order_id)
    beyond: ColumnElement[bool] = true()
    if cursor is not None:
        place = tuple_(bindparam("cursor_at", cursor[0]), bindparam("cursor_id", cursor[1], BigInteger))
        beyond = tuple_(*key) > place if newer else tuple_(*key) < place
    order_by = [c.asc() if newer else c.desc() for c in key]
    if order_filter.order_ids is not None or order_filter.code_fragment:
        return (
            select(*ROW_COLUMNS)
            .where(matching(order_filter, page_ids), beyond)
            .order_by(*order_by)
            .limit(limit)
        )
    one_store = (
        select(*ROW_COLUMNS)
        .where(orders.c.checkout_page_id == pages.c.page_id, beyond, *conditions(order_filter))
        .order_by(*order_by)
        .limit(limit)
        .lateral("found")
    )
    merged = [one_store.c.created_at, one_store.c.order_id]
    return (
        select(one_store)
        .select_from(pages.join(one_store, true()))
        .order_by(*[c.asc() if newer else c.desc() for c in merged])
        .limit(limit)
    )


def matching(order_filter: OrderFilter, page_ids: Sequence[int]) -> ColumnElement[bool]:
    """The whole condition, scope included."""
    return and_(
        orders.c.checkout_page_id == any_(sql_literal(list(page_ids), ARRAY(Integer))),
        *conditions(order_filter),
    )


def count_statement(order_filter: OrderFilter, page_ids: Sequence[int], *, most: int) -> Select[int]:
    """How many orders match, counting no further than `most`."""
    some = select(orders.c.order_id).where(matching(order_filter, page_ids)).limit(most).subquery()
    return select(func.count()).select_from(some)
