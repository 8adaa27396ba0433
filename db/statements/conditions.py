"""The conditions of a search, as values and as parts of a statement.

Scope is enforced twice: the stores are part of every statement, and row-level security applies as well.
"""

import operator
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Integer,
    Numeric,
    Text,
    and_,
    any_,
    bindparam,
    column,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.sql.visitors import replacement_traverse

from db.schema.order_tables import activation_code, order_item, orders
from db.schema.refund_tables import refund_reason, refund_request
from db.schema.statuses import MainStatus, RefundStatus

Parameters = dict[str, object]
TIME: Final = TIMESTAMP(timezone=True)
STORE_IDS: Final = bindparam("store_ids", type_=ARRAY(Integer))
COUNTRIES: Final = bindparam("countries", type_=ARRAY(Text))


@dataclass(frozen=True, slots=True)
class AskedOrder:
    """One piece of the typed text, and the orders it may mean.

    `token` and `line` are the longer texts that it was cut from, for names that contain a bar, a comma or a space; None
    where they are the same or too long for a name. `number` is that of its digits, None when no order can have it.
    """

    piece: str
    number: int | None
    token: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchValues:
    """The values that a search compares orders with. Each field has a condition of its name, which applies unless it is
    None.

    Searched texts are compared in the form that the database gives them (`fold`, `digits`, `email_key`). The fragment
    of an activation code comes in three forms, of which a search has one at most: `code_fragment` as typed,
    `code_orders` once the orders that have such a code were looked up, `common_fragment` when they are too many.
    A total is compared with `total` alone, or with `total_from` and `total_to`; `countries` are the spellings of one.
    """

    created_since: datetime | None = None
    created_until: datetime | None = None
    paid_since: datetime | None = None
    paid_until: datetime | None = None
    statuses: tuple[MainStatus, ...] | None = None
    delivered: bool | None = None
    refunds: tuple[RefundStatus, ...] | None = None
    asked_orders: tuple[AskedOrder, ...] | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    vat_number: str | None = None
    card_last_4: str | None = None
    code_fragment: str | None = None
    code_orders: tuple[int, ...] | None = None
    common_fragment: str | None = None
    has_subscription: Literal[True] | None = None
    has_active_subscription: Literal[True] | None = None
    has_cancelled_subscription: Literal[True] | None = None
    payment_method: str | None = None
    countries: tuple[str, ...] | None = None
    currency: str | None = None
    total: Decimal | None = None
    total_from: Decimal | None = None
    total_to: Decimal | None = None
    product: str | None = None
    refund_reason: str | None = None

    def parameters(self) -> Parameters:
        """The values of the fields that are filled, by the names of their conditions.

        Arrays are lists: where a statement goes to the driver as it is (COPY, EXPLAIN), a tuple would be a record.
        """
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in SearchValues.__slots__
            if (value := getattr(self, name)) is not None
        }


# The orders that were asked for by name or number: one row per piece of the typed text and order that it means.
ASKED: Final = func.orders_asked_for(
    bindparam("asked_lines", type_=ARRAY(Text)),
    bindparam("asked_tokens", type_=ARRAY(Text)),
    bindparam("asked_pieces", type_=ARRAY(Text)),
    bindparam("asked_numbers", type_=ARRAY(BigInteger)),
).table_valued(column("piece", BigInteger), column("order_id", BigInteger), name="asked")
_PRODUCT: Final = func.filter_key(bindparam("product", type_=Text))
_REASON: Final = func.filter_key(bindparam("refund_reason", type_=Text))
# The reason of the list that has this text, whatever was written behind it in a request.
_LISTED_REASON: Final = func.array(
    select(refund_reason.c.id).where(func.filter_key(refund_reason.c.reason) == _REASON).scalar_subquery(),
    type_=ARRAY(Integer),
)


def _total(name: str, compare: Callable[[Any, Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """The total compared with a value: its key, by which an index narrows down, and the exact amount.

    Any: `operator.ge` and its like say no more of columns.
    """
    value = bindparam(name, type_=Numeric)
    return and_(compare(orders.c.total_key, func.amount_key(value)), compare(orders.c.total, value))


# The conditions on an order, by the name of the value that it is compared with.
CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "created_since": orders.c.created_at >= bindparam("created_since", type_=TIME),
    "created_until": orders.c.created_at < bindparam("created_until", type_=TIME),
    "paid_since": orders.c.paid_at >= bindparam("paid_since", type_=TIME),
    "paid_until": orders.c.paid_at < bindparam("paid_until", type_=TIME),
    "statuses": orders.c.status == any_(bindparam("statuses", type_=ARRAY(Text))),
    "delivered": orders.c.delivered == bindparam("delivered", type_=Boolean),
    "refunds": orders.c.refund_status == any_(bindparam("refunds", type_=ARRAY(Text))),
    # An array and not rows, so that each order is looked up by its key.
    "asked_orders": orders.c.order_id
    == any_(func.array(select(ASKED.c.order_id).scalar_subquery(), type_=ARRAY(BigInteger))),
    "phone": orders.c.phone_key == func.digits(bindparam("phone", type_=Text)),
    "first_name": orders.c.first_name_key == func.fold(bindparam("first_name", type_=Text)),
    "last_name": orders.c.last_name_key == func.fold(bindparam("last_name", type_=Text)),
    "email": orders.c.email_key == func.email_key(bindparam("email", type_=Text)),
    "company": orders.c.company_key == func.fold(bindparam("company", type_=Text)),
    "vat_number": orders.c.vat_key == func.fold(bindparam("vat_number", type_=Text)),
    "card_last_4": orders.c.card_last_4 == bindparam("card_last_4", type_=Text),
    "code_fragment": orders.c.order_id.in_(
        select(func.orders_with_code(bindparam("code_fragment", type_=Text), None))
    ),
    "code_orders": orders.c.order_id == any_(bindparam("code_orders", type_=ARRAY(BigInteger))),
    # Checked order by order: so many codes contain the fragment that the newest orders soon yield matches.
    "common_fragment": select(activation_code.c.id)
    .where(
        activation_code.c.order_id == orders.c.order_id,
        func.strpos(activation_code.c.code_key, func.fold(bindparam("common_fragment", type_=Text))) > 0,
    )
    .exists(),
    "has_subscription": or_(orders.c.active_subscription, orders.c.cancelled_subscription),
    "has_active_subscription": orders.c.active_subscription,
    "has_cancelled_subscription": orders.c.cancelled_subscription,
    "payment_method": orders.c.payment_method_key == func.filter_key(bindparam("payment_method", type_=Text)),
    "countries": orders.c.country_key == any_(COUNTRIES),
    "currency": orders.c.currency == bindparam("currency", type_=Text),
    "total": _total("total", operator.eq),
    "total_from": _total("total_from", operator.ge),
    "total_to": _total("total_to", operator.le),
    "product": select(order_item.c.position)
    .where(
        order_item.c.order_id == orders.c.order_id,
        order_item.c.checkout_page_id == orders.c.checkout_page_id,
        or_(
            order_item.c.name_key == _PRODUCT,
            order_item.c.product_key == _PRODUCT,
            order_item.c.sku_key == _PRODUCT,
        ),
    )
    .exists(),
    # Orders with a request are few, and have an index of their own.
    "refund_reason": and_(
        orders.c.refund_status.is_not(None),
        select(refund_request.c.id)
        .where(
            refund_request.c.order_id == orders.c.order_id,
            refund_request.c.checkout_page_id == orders.c.checkout_page_id,
            or_(refund_request.c.reason_key == _REASON, refund_request.c.reason_id == any_(_LISTED_REASON)),
        )
        .exists(),
    ),
}
# These name the orders themselves, regardless of the store.
NAMING_CONDITIONS: Final = frozenset({"asked_orders", "code_fragment", "code_orders"})


def asked_parameters(asked: Sequence[AskedOrder]) -> Parameters:
    """The arrays of `orders_asked_for`, an element per piece."""
    return {
        "asked_lines": [order.line for order in asked],
        "asked_tokens": [order.token for order in asked],
        "asked_pieces": [order.piece for order in asked],
        "asked_numbers": [order.number for order in asked],
    }


def named_parameters(values: SearchValues, store_ids: Sequence[int]) -> tuple[frozenset[str], Parameters]:
    """The names of a search's conditions, and the parameters of the statement that is made of them."""
    parameters = values.parameters()
    names = frozenset(parameters)
    if values.asked_orders is not None:
        parameters |= asked_parameters(values.asked_orders)
    parameters["store_ids"] = list(store_ids)
    return names, parameters


def conditions_of(names: Collection[str]) -> list[ColumnElement[bool]]:
    """The conditions of these names, always in the same order: the statement's text is the key of its plan."""
    return [condition for name, condition in CONDITIONS.items() if name in names]


def in_scope(names: Collection[str]) -> ColumnElement[bool]:
    """The conditions of these names, in the stores of the parameter `store_ids`."""
    return and_(orders.c.checkout_page_id == any_(STORE_IDS), *conditions_of(names))


def matching(values: SearchValues, store_ids: Sequence[int]) -> ColumnElement[bool]:
    """The whole condition with its values, scope included, for statements that are used once."""
    names, parameters = named_parameters(values, store_ids)

    # Any: SQLAlchemy hands every kind of element to a replacement, and options that it does not name.
    def with_value(element: Any, **_: Any) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and element.key in parameters:
            return bindparam(None, parameters[element.key], type_=element.type)
        return None

    condition: ColumnElement[bool] = replacement_traverse(in_scope(names), {}, with_value)
    return condition
