"""The one statement behind search, count and export, built from a filter.

Scope comes twice: the stores are part of the statement, so that each store's own index gives its newest orders, and
row-level security backs it up.

A statement depends on which fields are set, not on their values, which are its parameters. So each
is made once and kept: making it anew for every search would cost as much as PostgreSQL's answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    column,
    func,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.sql.visitors import replacement_traverse

from db.schema.order_tables import activation_code, orders
from db.schema.statuses import SubscriptionFilter

Statement = tuple[Select[Any], dict[str, Any]]
# What a search compares with, by the name of the condition (`_CONDITIONS`); only filled fields are in it.
SearchValues = dict[str, object]


@dataclass(frozen=True, slots=True)
class AskedOrder:
    """One piece of what was typed, and what it may mean.

    `token` and `line` are the longer spellings that it was cut from, for names with a stroke, a comma or a space in
    them; None where they are the same or too long for a name. `number` is that of its digits, None when no order can
    have it.
    """

    piece: str
    number: int | None
    token: str | None = None
    line: str | None = None


_TIME: Final = TIMESTAMP(timezone=True)
_PAGES: Final = bindparam("pages", type_=ARRAY(Integer))
# The orders that were asked for by what is shown of them: a row per piece of what was typed and order that it means.
_ASKED: Final = func.orders_asked_for(
    bindparam("asked_lines", type_=ARRAY(Text)),
    bindparam("asked_tokens", type_=ARRAY(Text)),
    bindparam("asked_orders", type_=ARRAY(Text)),
    bindparam("asked_numbers", type_=ARRAY(BigInteger)),
).table_valued(column("piece", BigInteger), column("order_id", BigInteger), name="asked")
# What an order must fulfil, by the name of the value that it is compared with. Searched texts are compared in the form
# that the database gives them.
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "created_since": orders.c.created_at >= bindparam("created_since", type_=_TIME),
    "created_until": orders.c.created_at < bindparam("created_until", type_=_TIME),
    "paid_since": orders.c.paid_at >= bindparam("paid_since", type_=_TIME),
    "paid_until": orders.c.paid_at < bindparam("paid_until", type_=_TIME),
    "statuses": orders.c.status == any_(bindparam("statuses", type_=ARRAY(Text))),
    "delivered": orders.c.delivered == bindparam("delivered", type_=Boolean),
    "refunds": orders.c.refund_status == any_(bindparam("refunds", type_=ARRAY(Text))),
    # An array and not rows, so that each order is looked up by its key.
    "asked_orders": orders.c.order_id
    == any_(func.array(select(_ASKED.c.order_id).scalar_subquery(), type_=ARRAY(BigInteger))),
    "phone": orders.c.phone_key == func.digits(bindparam("phone", type_=Text)),
    "first_name": orders.c.first_name_key == func.fold(bindparam("first_name", type_=Text)),
    "last_name": orders.c.last_name_key == func.fold(bindparam("last_name", type_=Text)),
    "email": orders.c.email_key == func.email_key(bindparam("email", type_=Text)),
    "company": orders.c.company_key == func.fold(bindparam("company", type_=Text)),
    "vat_number": orders.c.vat_key == func.fold(bindparam("vat_number", type_=Text)),
    "card_last_4": orders.c.card_last_4 == bindparam("card_last_4", type_=Text),
    # The orders with a code that contains the fragment, all of them or those that were looked up before.
    "code_fragment": orders.c.order_id.in_(
        select(func.orders_with_code(bindparam("code_fragment", type_=Text), None))
    ),
    "code_orders": orders.c.order_id == any_(bindparam("code_orders", type_=ARRAY(BigInteger))),
    # The same asked of one order after the other: for what so many codes contain that the newest orders soon have it.
    "common_fragment": select(activation_code.c.id)
    .where(
        activation_code.c.order_id == orders.c.order_id,
        func.strpos(activation_code.c.code_key, func.fold(bindparam("common_fragment", type_=Text))) > 0,
    )
    .exists(),
    SubscriptionFilter.WITH: or_(orders.c.active_subscription, orders.c.cancelled_subscription),
    SubscriptionFilter.ACTIVATED: orders.c.active_subscription,
    SubscriptionFilter.DEACTIVATED: orders.c.cancelled_subscription,
}
# These name the orders themselves, whatever the store.
_NAMED: Final = {"asked_orders", "code_fragment", "code_orders"}


def asked_values(asked: Sequence[AskedOrder] | None) -> dict[str, Any]:
    """The arrays of `orders_asked_for`, an element per piece; none of them when no orders were asked for."""
    if asked is None:
        return {}
    return {
        "asked_lines": [a.line for a in asked],
        "asked_tokens": [a.token for a in asked],
        "asked_orders": [a.piece for a in asked],
        "asked_numbers": [a.number for a in asked],
    }


def page_statement(
    values: SearchValues,
    store_ids: Sequence[int],
    *,
    limit: int,
    cursor: tuple[datetime, int] | None,
    newer: bool,
    fields: tuple[str, ...],
) -> Statement:
    """At most `limit` orders of these stores beyond the cursor: older ones newest first, or newer ones oldest first.

    A row holds the order's `fields` as they are named and sorted here, then `store_id`, then `matches`: the number of
    all that match, where it costs nothing (without a cursor, for orders that are named by the search), else None.
    """
    statement = _page(frozenset(values), cursor is not None, newer, fields)
    given = values | {"pages": list(store_ids), "most": limit}
    if cursor is not None:
        given |= {"cursor_at": cursor[0], "cursor_id": cursor[1]}
    return statement, given


@lru_cache(maxsize=512)
def _page(names: frozenset[str], has_cursor: bool, newer: bool, fields: tuple[str, ...]) -> Select[Any]:
    """A LATERAL subquery a store: each is answered in order by an index that begins with the store, and only the first
    rows of each are merged. One scan over all stores would walk past everything that belongs to the others. Orders that
    are named are looked up once, whatever the store.
    """
    row = [*(orders.c[field] for field in fields), orders.c.checkout_page_id.label("store_id")]
    key = (orders.c.created_at, orders.c.order_id)
    most = bindparam("most", type_=Integer)
    beyond: ColumnElement[bool] = true()
    if has_cursor:
        place = tuple_(bindparam("cursor_at", type_=_TIME), bindparam("cursor_id", type_=BigInteger))
        beyond = tuple_(*key) > place if newer else tuple_(*key) < place
    order_by = [c.asc() if newer else c.desc() for c in key]
    if names & _NAMED:
        matches = null() if has_cursor else func.count().over()
        return (
            select(*row, matches.label("matches"))
            .where(_matching(names), beyond)
            .order_by(*order_by)
            .limit(most)
        )
    pages = func.unnest(_PAGES).table_valued("page_id", name="page").render_derived()
    one_store = (
        select(*row)
        .where(orders.c.checkout_page_id == pages.c.page_id, beyond, *_conditions(names))
        .order_by(*order_by)
        .limit(most)
        .lateral("found")
    )
    merged = [one_store.c.created_at, one_store.c.order_id]
    return (
        select(one_store, null().label("matches"))
        .select_from(pages.join(one_store, true()))
        .order_by(*[c.asc() if newer else c.desc() for c in merged])
        .limit(most)
    )


def count_statement(values: SearchValues, store_ids: Sequence[int], *, most: int) -> Statement:
    """How many orders match, counting no further than `most`."""
    return _count(frozenset(values)), values | {"pages": list(store_ids), "most": most}


@lru_cache(maxsize=512)
def _count(names: frozenset[str]) -> Select[int]:
    some = select(orders.c.order_id).where(_matching(names)).limit(bindparam("most", type_=Integer))
    return select(func.count()).select_from(some.subquery())


def matching(values: SearchValues, store_ids: Sequence[int]) -> ColumnElement[bool]:
    """The whole condition with its values, scope included: for statements that are made for one use."""
    values = values | {"pages": list(store_ids)}

    def with_value(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key in values:
            return bindparam(None, values[element.key], type_=element.type)
        return None

    found: ColumnElement[bool] = replacement_traverse(_matching(frozenset(values)), {}, with_value)
    return found


def _matching(names: Collection[str]) -> ColumnElement[bool]:
    return and_(orders.c.checkout_page_id == any_(_PAGES), *_conditions(names))


def _conditions(names: Collection[str]) -> list[ColumnElement[bool]]:
    return [condition for name, condition in _CONDITIONS.items() if name in names]


def known_statement(asked: Sequence[AskedOrder], store_ids: Sequence[int]) -> Statement:
    """The places (from 1 on) of what was asked for that is an order of these stores."""
    return _known(), asked_values(asked) | {"pages": list(store_ids)}


@cache
def _known() -> Select[int]:
    in_store = and_(orders.c.order_id == _ASKED.c.order_id, orders.c.checkout_page_id == any_(_PAGES))
    return select(_ASKED.c.piece).join(orders, in_store).distinct()


@cache
def code_orders_statement() -> Select[int]:
    """The orders of the first `most` codes that contain `code_fragment`; one that has several comes several times."""
    fragment, most = bindparam("code_fragment", type_=Text), bindparam("most", type_=Integer)
    return select(func.orders_with_code(fragment, most))
