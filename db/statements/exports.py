"""The columns of an export and the statements that fetch them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, collate, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.schema.order_tables import activation_code, checkout_page, order_item, orders
from db.schema.statuses import (
    RENEWAL_ACTIVATED,
    RENEWAL_DEACTIVATED,
    DeliveryStatus,
    MainStatus,
    RefundStatus,
)
from db.statements.conditions import Parameters, SearchValues, matching
from db.statements.search import count_statement

# Up to this many orders are sorted, newest first; more come in the database's order, since sorting them would delay the
# first row.
ORDERED_TO: Final = 10_000
RISKY: Final = ("=", "+", "-", "@", "\t", "\r")


class Kind(StrEnum):
    """`WORD` is text that the portal writes, or that a constraint limits: it never begins a formula."""

    TEXT = "text"
    WORD = "word"
    NUMBER = "number"
    TIME = "time"


# Any: the columns of an export are of many types.
Cell = ColumnElement[Any]


@dataclass(frozen=True)
class ExportColumn:
    title: str
    kind: Kind
    expression: Cell


def _yes(condition: ColumnElement[bool]) -> Cell:
    return case((condition, "yes"), else_="no")


_SUBSCRIPTION = func.concat_ws(
    "; ",
    case((orders.c.active_subscription, RENEWAL_ACTIVATED)),
    case((orders.c.cancelled_subscription, RENEWAL_DEACTIVATED)),
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
ORDER_COLUMNS: Final = (
    ExportColumn("Order ID", Kind.NUMBER, orders.c.order_id),
    ExportColumn("Order", Kind.TEXT, orders.c.order_name),
    ExportColumn("1C ID", Kind.TEXT, orders.c.order_id_1c),
    ExportColumn("Store", Kind.TEXT, checkout_page.c.name),
    ExportColumn("Status", Kind.WORD, case({s.value: s.label for s in MainStatus}, value=orders.c.status)),
    ExportColumn(
        "Delivery",
        Kind.WORD,
        case((orders.c.delivered, DeliveryStatus.DELIVERED.label), else_=DeliveryStatus.NOT_DELIVERED.label),
    ),
    ExportColumn(
        "Refund", Kind.WORD, case({s.value: s.label for s in RefundStatus}, value=orders.c.refund_status)
    ),
    ExportColumn("Subscription", Kind.WORD, func.nullif(_SUBSCRIPTION, "")),
    ExportColumn("Creation date", Kind.TIME, orders.c.created_at),
    ExportColumn("Payment date", Kind.TIME, orders.c.paid_at),
    ExportColumn("Currency", Kind.WORD, orders.c.currency),
    ExportColumn("Total", Kind.NUMBER, orders.c.total),
    ExportColumn("First Name", Kind.TEXT, orders.c.first_name),
    ExportColumn("Last Name", Kind.TEXT, orders.c.last_name),
    ExportColumn("Email", Kind.TEXT, orders.c.email),
    ExportColumn("Phone Number", Kind.TEXT, orders.c.phone),
    ExportColumn("Company", Kind.TEXT, orders.c.company_name),
    ExportColumn("VAT Number", Kind.TEXT, orders.c.vat_number),
    ExportColumn("Country", Kind.TEXT, orders.c.country),
    ExportColumn("Payment method", Kind.TEXT, orders.c.payment_method),
    ExportColumn("Last 4 digits of Card Number", Kind.WORD, orders.c.card_last_4),
    ExportColumn("Personal data erased", Kind.WORD, _yes(orders.c.customer_erased)),
)
ITEM_COLUMNS: Final = (
    *ORDER_COLUMNS,
    ExportColumn("Item", Kind.NUMBER, order_item.c.position),
    ExportColumn("Product", Kind.TEXT, order_item.c.name),
    ExportColumn("SKU", Kind.TEXT, order_item.c.sku),
    ExportColumn("Quantity", Kind.NUMBER, order_item.c.quantity),
    ExportColumn("Price", Kind.NUMBER, order_item.c.price),
    ExportColumn("Discount %", Kind.NUMBER, order_item.c.discount_percent),
    ExportColumn("Discount", Kind.NUMBER, order_item.c.discount_amount),
    ExportColumn("VAT", Kind.NUMBER, order_item.c.vat_amount),
    ExportColumn("Amount", Kind.NUMBER, order_item.c.amount),
    ExportColumn("Item delivered", Kind.WORD, _yes(order_item.c.delivered)),
    ExportColumn("Item refunded", Kind.WORD, _yes(order_item.c.refunded)),
    ExportColumn("Licence first name", Kind.TEXT, order_item.c.license_first_name),
    ExportColumn("Licence last name", Kind.TEXT, order_item.c.license_last_name),
    ExportColumn("Licence email", Kind.TEXT, order_item.c.license_email),
    ExportColumn("Activation codes", Kind.TEXT, _CODES.c.codes),
)


def csv_cell(column: ExportColumn) -> Cell:
    """The cell as text that a spreadsheet shows and does not run; times in the transaction's time zone."""
    expression = column.expression
    if column.kind is Kind.TIME:
        # Several times as fast as to_char.
        return func.replace(cast(func.date_trunc("second", expression), Text), " ", "T")
    if column.kind is Kind.TEXT:
        # All risky characters are bytes before "A", and nearly no text begins with one: a single cheap comparison per
        # cell.
        is_early = collate(expression, "C") < literal("A")
        is_risky = and_(is_early, func.ascii(expression).in_(map(ord, RISKY)))
        return case((is_risky, literal("'") + expression), else_=expression)
    return expression


def export_statement(
    values: SearchValues,
    store_ids: Sequence[int],
    cells: Sequence[Cell],
    *,
    by_item: bool,
    ordered: bool,
) -> Select[Any]:
    """All orders of these stores that match, or their items, newest order first when `ordered`."""
    source = orders.join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
    order_by: list[Cell] = [orders.c.created_at.desc(), orders.c.order_id.desc()]
    if by_item:
        source = source.join(order_item, order_item.c.order_id == orders.c.order_id)
        order_by.append(order_item.c.position)
    statement = select(*cells).select_from(source).where(matching(values, store_ids))
    return statement.order_by(*order_by) if ordered else statement


def size_statement(values: SearchValues, store_ids: Sequence[int]) -> tuple[Select[int], Parameters]:
    """The number of orders that match, counted only as far as needed to decide whether they are sorted."""
    return count_statement(values, store_ids, most=ORDERED_TO + 1)
