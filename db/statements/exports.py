"""The columns of an export and the statements that fetch them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, collate, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.schema.order_tables import activation_code, checkout_page, order_item, orders
from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus
from db.statements.search import SearchValues, Statement, count_statement, matching

# Up to so many orders come newest first; more come as the database has them, since sorting them would keep everybody
# waiting for the first row.
ORDERED_TO: Final = 10_000
RISKY: Final = ("=", "+", "-", "@", "\t", "\r")


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True)
class ExportColumn:
    title: str
    kind: Kind
    expression: ColumnElement[Any]


def _yes(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((condition, "yes"), else_="no")


_SUBSCRIPTION = func.concat_ws(
    "; ",
    case((orders.c.active_subscription, "Auto-renewal has been activated")),
    case((orders.c.cancelled_subscription, "Auto-renewal has been deactivated")),
)
# A lateral subquery: read once however often a cell mentions it, and not at all when no cell does.
_CODES = (
    select(
        func.string_agg(
            activation_code.c.code, aggregate_order_by(literal("; "), activation_code.c.number)
        ).label("codes")
    )
    .where(
        activation_code.c.order_id == order_item.c.order_id,
        activation_code.c.position == order_item.c.position,
    )
    .lateral("codes")
)
ORDER_COLUMNS: Final = tuple(
    ExportColumn(title, kind, expression)
    for title, kind, expression in (
        ("Order ID", Kind.NUMBER, orders.c.order_id),
        ("Order", Kind.TEXT, orders.c.order_name),
        ("1C ID", Kind.TEXT, orders.c.order_id_1c),
        ("Store", Kind.TEXT, checkout_page.c.name),
        ("Status", Kind.TEXT, case({s.value: s.label for s in MainStatus}, value=orders.c.status)),
        (
            "Delivery",
            Kind.TEXT,
            case(
                (orders.c.delivered, DeliveryStatus.DELIVERED.label), else_=DeliveryStatus.NOT_DELIVERED.label
            ),
        ),
        ("Refund", Kind.TEXT, case({s.value: s.label for s in RefundStatus}, value=orders.c.refund_status)),
        ("Subscription", Kind.TEXT, func.nullif(_SUBSCRIPTION, "")),
        ("Creation date", Kind.TIME, orders.c.created_at),
        ("Payment date", Kind.TIME, orders.c.paid_at),
        ("Currency", Kind.TEXT, orders.c.currency),
        ("Total", Kind.NUMBER, orders.c.total),
        ("First Name", Kind.TEXT, orders.c.first_name),
        ("Last Name", Kind.TEXT, orders.c.last_name),
        ("Email", Kind.TEXT, orders.c.email),
        ("Phone Number", Kind.TEXT, orders.c.phone),
        ("Company", Kind.TEXT, orders.c.company_name),
        ("VAT Number", Kind.TEXT, orders.c.vat_number),
        ("Country", Kind.TEXT, orders.c.country),
        ("Payment method", Kind.TEXT, orders.c.payment_method),
        ("Last 4 digits of Card Number", Kind.TEXT, orders.c.card_last_4),
        ("Personal data erased", Kind.TEXT, _yes(orders.c.customer_erased)),
    )
)
ITEM_COLUMNS: Final = ORDER_COLUMNS + tuple(
    ExportColumn(title, kind, expression)
    for title, kind, expression in (
        ("Item", Kind.NUMBER, order_item.c.position),
        ("Product", Kind.TEXT, order_item.c.name),
        ("SKU", Kind.TEXT, order_item.c.sku),
        ("Quantity", Kind.NUMBER, order_item.c.quantity),
        ("Price", Kind.NUMBER, order_item.c.price),
        ("Discount %", Kind.NUMBER, order_item.c.discount_percent),
        ("Discount", Kind.NUMBER, order_item.c.discount_amount),
        ("VAT", Kind.NUMBER, order_item.c.vat_amount),
        ("Amount", Kind.NUMBER, order_item.c.amount),
        ("Item delivered", Kind.TEXT, _yes(order_item.c.delivered)),
        ("Item refunded", Kind.TEXT, _yes(order_item.c.refunded)),
        ("Licence first name", Kind.TEXT, order_item.c.license_first_name),
        ("Licence last name", Kind.TEXT, order_item.c.license_last_name),
        ("Licence email", Kind.TEXT, order_item.c.license_email),
        ("Activation codes", Kind.TEXT, _CODES.c.codes),
    )
)
# What the portal or a constraint vouches for begins no formula.
_OURS: Final = frozenset(
    (
        "Last 4 digits of Card Number",
        "Status",
        "Delivery",
        "Refund",
        "Subscription",
        "Currency",
        "Personal data erased",
        "Item delivered",
    )
) | {"Item refunded"}


def csv_cell(column: ExportColumn) -> ColumnElement[Any]:
    """The cell as text that a spreadsheet shows and does not run; times in the transaction's time zone."""
    expression = column.expression
    if column.kind is Kind.TIME:
        # Several times as fast as to_char.
        return func.replace(cast(func.date_trunc("second", expression), Text), " ", "T")
    if column.kind is Kind.TEXT and column.title not in _OURS:
        # All that is risky is before "A" among the bytes, and nearly all text is not: one cheap comparison a cell.
        is_early = collate(expression, "C") < literal("A")
        is_risky = and_(is_early, func.ascii(expression).in_(map(ord, RISKY)))
        return case((is_risky, literal("'") + expression), else_=expression)
    return expression


def export_statement(
    values: SearchValues,
    store_ids: Sequence[int],
    cells: Sequence[ColumnElement[Any]],
    *,
    by_item: bool,
    ordered: bool,
) -> Select[Any]:
    """All rows of the filter in the given stores, newest first when `ordered`."""
    source = orders.join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
    order_by: list[Any] = [orders.c.created_at.desc(), orders.c.order_id.desc()]
    if by_item:
        source = source.join(order_item, order_item.c.order_id == orders.c.order_id)
        order_by.append(order_item.c.position)
    statement = select(*cells).select_from(source).where(matching(values, store_ids))
    return statement.order_by(*order_by) if ordered else statement


def size_statement(values: SearchValues, store_ids: Sequence[int]) -> Statement:
    """How many orders there are, counted as far as it matters for their order."""
    return count_statement(values, store_ids, most=ORDERED_TO + 1)
