"""The statements behind a search: a page of orders, their number, and the IDs that were asked for.

A statement depends on which fields of the search are filled, not on their values, which are its parameters. So each is
built once and cached: building it anew for every search would cost as much as PostgreSQL's answer.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    null,
    select,
    true,
    tuple_,
)

from db.schema.order_tables import orders
from db.statements.conditions import (
    ASKED,
    COUNTRIES,
    NAMING_CONDITIONS,
    STORE_IDS,
    TIME,
    AskedOrder,
    Parameters,
    SearchValues,
    asked_parameters,
    conditions_of,
    in_scope,
    named_parameters,
)

ROW_COLUMNS: Final = (
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
_MOST: Final = bindparam("most", type_=Integer)


def page_statement(
    values: SearchValues,
    store_ids: Sequence[int],
    *,
    limit: int,
    cursor: tuple[datetime, int] | None,
    newer: bool,
) -> tuple[Select[Any], Parameters]:  # Any: SQLAlchemy types the rows of ten columns at most
    """At most `limit` orders of these stores beyond the cursor: older ones newest first, or newer ones oldest first.

    The columns are `ROW_COLUMNS` and `match_count`, the number of all that match, where it costs nothing: without a
    cursor, for orders that are named by the search; otherwise None.
    """
    names, parameters = named_parameters(values, store_ids)
    parameters["most"] = limit
    if cursor is not None:
        parameters["cursor_at"], parameters["cursor_id"] = cursor
    return _page(names, cursor is not None, newer), parameters


@lru_cache(maxsize=512)
def _page(names: frozenset[str], has_cursor: bool, newer: bool) -> Select[Any]:
    """One LATERAL subquery per store: each is answered in order by an index that begins with the store, and only the
    first rows of each are merged. One scan over all stores would walk past everything that belongs to the others.
    Orders that are named are looked up once, whatever the store.
    """
    key = (orders.c.created_at, orders.c.order_id)
    beyond: ColumnElement[bool] = true()
    if has_cursor:
        cursor = tuple_(bindparam("cursor_at", type_=TIME), bindparam("cursor_id", type_=BigInteger))
        beyond = tuple_(*key) > cursor if newer else tuple_(*key) < cursor
    order_by = [c.asc() if newer else c.desc() for c in key]
    if names & NAMING_CONDITIONS:
        match_count: ColumnElement[Any] = null() if has_cursor else func.count().over()
        return (
            select(*ROW_COLUMNS, match_count.label("match_count"))
            .where(in_scope(names), beyond)
            .order_by(*order_by)
            .limit(_MOST)
        )
    stores = func.unnest(STORE_IDS).table_valued("id", name="store").render_derived()
    parts: FromClause = stores
    conditions = conditions_of(names - {"countries"})
    if "countries" in names:
        # One part per spelling as well: an index yields the rows of one value in order, but not those of several.
        spellings = func.unnest(COUNTRIES).table_valued("key", name="spelling").render_derived()
        parts = stores.join(spellings, true())
        conditions.append(orders.c.country_key == spellings.c.key)
    of_store = (
        select(*ROW_COLUMNS)
        .where(orders.c.checkout_page_id == stores.c.id, beyond, *conditions)
        .order_by(*order_by)
        .limit(_MOST)
        .lateral("of_store")
    )
    merged = [of_store.c.created_at, of_store.c.order_id]
    return (
        select(of_store, null().label("match_count"))
        .select_from(parts.join(of_store, true()))
        .order_by(*[c.asc() if newer else c.desc() for c in merged])
        .limit(_MOST)
    )


def count_statement(
    values: SearchValues, store_ids: Sequence[int], *, most: int
) -> tuple[Select[int], Parameters]:
    """The number of orders that match, counted no further than `most`."""
    names, parameters = named_parameters(values, store_ids)
    parameters["most"] = most
    return _count(names), parameters


@lru_cache(maxsize=512)
def _count(names: frozenset[str]) -> Select[int]:
    some = select(orders.c.order_id).where(in_scope(names)).limit(_MOST)
    return select(func.count()).select_from(some.subquery())


def asked_statement(asked: Sequence[AskedOrder], store_ids: Sequence[int]) -> tuple[Select[int], Parameters]:
    """The numbers (from 1 on) of the IDs asked for that are orders of these stores."""
    return _asked(), asked_parameters(asked) | {"store_ids": list(store_ids)}


@cache
def _asked() -> Select[int]:
    in_store = and_(orders.c.order_id == ASKED.c.order_id, orders.c.checkout_page_id == any_(STORE_IDS))
    return select(ASKED.c.piece).join(orders, in_store).distinct()


@cache
def code_orders_statement() -> Select[int]:
    """The orders of the first `most` codes that contain `code_fragment`; an order with several of them occurs several
    times.
    """
    return select(func.orders_with_code(bindparam("code_fragment", type_=Text), _MOST))
