"""What a search found as CSV: all of it, streamed, safe in a spreadsheet and exact in pandas."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, aggregate_order_by

from db.order_statements import conditions
from db.tables import activation_code, checkout_page, order_item, orders
from services import audit
from services.access import Viewer
from services.order_filter import OrderFilter
from services.order_search import pages_in_scope
from services.statuses import DeliveryStatus, MainStatus, RefundStatus

_BATCH = 1000
_RISKY = ("=", "+", "-", "@", "\t", "\r")


class ExportRows(StrEnum):
    """One line an order, or one line an order item."""

    ORDER = "order"
    ITEM = "item"


Cell = Callable[[Any, ZoneInfo], object]


def safe_text(value: str | None) -> str:
    """Text that a spreadsheet shows and does not run: an apostrophe before what would begin a formula."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(_RISKY) else value


def _text(name: str) -> Cell:
    return lambda row, zone: safe_text(getattr(row, name))


def _number(name: str) -> Cell:
    def cell(row: Any, zone: ZoneInfo) -> object:
        value = getattr(row, name)
        return "" if value is None else format(value, "f") if hasattr(value, "as_tuple") else value

    return cell


def _time(name: str) -> Cell:
    def cell(row: Any, zone: ZoneInfo) -> object:
        at: datetime | None = getattr(row, name)
        return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    return cell


def _subscription(row: Any, zone: ZoneInfo) -> object:
    words = []
    if row.active_subscription:
        words.append("Auto-renewal has been activated")
    if row.cancelled_subscription:
        words.append("Auto-renewal has been deactivated")
    return "; ".join(words)


_ORDER_CELLS: tuple[tuple[str, Cell], ...] = (
    ("Order ID", _number("order_id")),
    ("Order", _text("order_name")),
    ("1C ID", _text("order_id_1c")),
    ("Store", _text("store")),
    ("Status", lambda row, zone: MainStatus(row.status).label),
    (
        "Delivery",
        lambda row, zone: (DeliveryStatus.DELIVERED if row.delivered else DeliveryStatus.NOT_DELIVERED).label,
    ),
    ("Refund", lambda row, zone: RefundStatus(row.refund_status).label if row.refund_status else ""),
    ("Subscription", _subscription),
    ("Creation date", _time("created_at")),
    ("Payment date", _time("paid_at")),
    ("Currency", _text("currency")),
    ("Total", _number("total")),
    ("First Name", _text("first_name")),
    ("Last Name", _text("last_name")),
    ("Email", _text("email")),
    ("Phone Number", _text("phone")),
    ("Company", _text("company_name")),
    ("VAT Number", _text("vat_number")),
    ("Country", _text("country")),
    ("Payment method", _text("payment_method")),
    ("Last 4 digits of Card Number", _text("card_last_4")),
    ("Personal data erased", lambda row, zone: "yes" if row.customer_erased else "no"),
)
_ITEM_CELLS: tuple[tuple[str, Cell], ...] = (
    ("Item", _number("position")),
    ("Product", _text("item_name")),
    ("SKU", _text("sku")),
    ("Quantity", _number("quantity")),
    ("Price", _number("price")),
    ("Discount %", _number("discount_percent")),
    ("Discount", _number("discount_amount")),
    ("VAT", _number("vat_amount")),
    ("Amount", _number("amount")),
    ("Item delivered", lambda row, zone: "yes" if row.item_delivered else "no"),
    ("Item refunded", lambda row, zone: "yes" if row.refunded else "no"),
    ("Licence first name", _text("license_first_name")),
    ("Licence last name", _text("license_last_name")),
    ("Licence email", _text("license_email")),
    ("Activation codes", _text("codes")),
)


def record_export(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    address: str | None,
) -> None:
    """Writes the audit row. In a transaction of its own, before the first row leaves: an export that is broken off
    is an export as well."""
    # Which fields were searched by, never what for: that is personal data.
    details = {"rows": rows, "fields": sorted(order_filter.to_json()["fields"])}
    audit.record(connection, viewer, "export", address=address, details=details)


def export_orders(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    zone: ZoneInfo,
) -> Iterator[bytes]:
    """The CSV in pieces: UTF-8 with a byte order mark (Excel asks for it), RFC 4180, newest order first.

    Times are ISO 8601 in `zone` with the offset, amounts plain decimals, absent values empty. Rows come from a
    cursor on the server, so that a million of them take no more memory than a thousand. `connection` is the
    viewer's own transaction and must stay open until the last piece; `record_export` comes first.
    """
    cells = _ORDER_CELLS if rows is ExportRows.ORDER else _ORDER_CELLS + _ITEM_CELLS
    statement = _statement(viewer, order_filter, rows)
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(statement)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([title for title, _ in cells])
    yield "\ufeff".encode() + _taken(buffer)
    for batch in result.partitions():
        writer.writerows([cell(row, zone) for _, cell in cells] for row in batch)
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece


def _statement(viewer: Viewer, order_filter: OrderFilter, rows: ExportRows) -> Select[Any]:
    scope = orders.c.checkout_page_id == any_(literal(pages_in_scope(viewer, order_filter), ARRAY(INTEGER)))
    columns: Sequence[Any] = [c for c in orders.c if not c.name.endswith("_key")]
    source = orders.join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
    order_by: list[Any] = [orders.c.created_at.desc(), orders.c.order_id.desc()]
    if rows is ExportRows.ITEM:
        source = source.join(order_item, order_item.c.order_id == orders.c.order_id)
        codes = (
            select(
                func.string_agg(
                    activation_code.c.code, aggregate_order_by(literal("; "), activation_code.c.number)
                )
            )
            .where(
                activation_code.c.order_id == order_item.c.order_id,
                activation_code.c.position == order_item.c.position,
            )
            .scalar_subquery()
        )
        mine = [
            c for c in order_item.c if c.name not in ("order_id", "checkout_page_id", "name", "delivered")
        ]
        columns = [
            *columns,
            *mine,
            order_item.c.name.label("item_name"),
            order_item.c.delivered.label("item_delivered"),
            codes.label("codes"),
        ]
        order_by.append(order_item.c.position)
    return (
        select(checkout_page.c.name.label("store"), *columns)
        .select_from(source)
        .where(scope, *conditions(order_filter))
        .order_by(*order_by)
    )
