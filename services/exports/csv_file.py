"""What a search found as a file: all of it, streamed, safe in a spreadsheet and exact in pandas.

CSV leaves PostgreSQL as CSV (COPY), which is some twenty times as fast as making it here row by row.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, text

from db.schema.audit_actions import AuditAction
from db.statements.exports import (
    ITEM_COLUMNS,
    ORDER_COLUMNS,
    ORDERED_TO,
    ExportColumn,
    csv_cell,
    export_statement,
    size_statement,
)
from services.access import Viewer
from services.audit import recording
from services.orders.filters import OrderFilter, searched_values
from services.orders.search import stores_in_scope

_ROWS_AT_ONCE: Final = 250
_PARTS: Final = 4


class ExportRows(StrEnum):
    """One line per order, or one line per order item."""

    ORDER = "order"
    ITEM = "item"


def column_titles(rows: ExportRows) -> tuple[str, ...]:
    """What an export can hold, in its order."""
    return tuple(column.title for column in columns_of(rows, ()))


def file_name(order_filter: OrderFilter, rows: ExportRows, zone: ZoneInfo, *, now: datetime) -> str:
    """The file's name without its ending: the day, the days, statuses and stores asked for, the time zone.

    Nothing that a person was searched by is in it.
    """
    typed = order_filter.typed
    parts = ["orders" if rows is ExportRows.ORDER else "order-items", f"{now.astimezone(zone):%Y-%m-%d}"]
    for name, since, until in (
        ("created", typed.created_from, typed.created_to),
        ("paid", typed.paid_from, typed.paid_to),
    ):
        if since or until:
            parts.append(f"{name}-{since or ''}..{until or since}")
    parts += [*sorted(typed.statuses), *typed.stores, zone.key]
    kept = "_".join(parts).replace("/", "-").replace(" ", "-")
    return "".join(c for c in kept if c.isalnum() or c in "-_.")[:150]


def record_export(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    address: str | None,
    ending: str = "csv",
    titles: Collection[str] = (),
) -> None:
    """Writes the audit row. In a transaction of its own, before the first row leaves: an export that is broken off
    is an export as well."""
    # Which fields were searched by, never what for: that is personal data.
    details: dict[str, Any] = {
        "rows": rows,
        "format": ending,
        "fields": sorted(order_filter.to_json()["fields"]),
        "columns": [c.title for c in columns_of(rows, titles)] if titles else "all",
    }
    recording.record(connection, viewer, AuditAction.EXPORT_ORDERS, address=address, details=details)


def export_orders(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    zone: ZoneInfo,
    titles: Collection[str] = (),
    on_rows: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """The CSV in pieces: UTF-8 with a byte order mark (Excel asks for it), RFC 4180.

    Newest order first, up to 10,000 orders; more come as the database has them. Times are ISO 8601 in `zone` with the
    offset, amounts plain decimals, absent values empty. `titles` are the columns wanted, all when empty. A million rows
    take no more memory than a thousand. `on_rows` hears how many rows there are up to the end of each piece.
    `connection` is the viewer's own transaction and must stay open until the last piece; `record_export` comes first.
    """
    columns = columns_of(rows, titles)
    heading = io.StringIO(newline="")
    csv.writer(heading, lineterminator="\r\n").writerow([column.title for column in columns])
    yield "\ufeff".encode() + heading.getvalue().encode()
    connection.execute(
        # No row asks for the codes of an item that an earlier one has asked for: remembering them only costs.
        text(
            "SELECT set_config('timezone', :zone, true), set_config('datestyle', 'ISO, YMD', true), "
            "set_config('enable_memoize', 'off', true)"
        ),
        {"zone": zone.key},
    )
    statement = statement_of(connection, viewer, order_filter, rows, [csv_cell(column) for column in columns])
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')", compiled.params) as copy,
    ):
        yield from _pieces(copy, on_rows)


def _pieces(copy: Any, on_rows: Callable[[int], None] | None) -> Iterator[bytes]:
    # Rows are taken by the hundred without a line of Python for each, which would cost half a second a million. So few,
    # because they then stay in the processor's cache; a thousand at once leave, because sending has its price a piece.
    lines, number = iter(copy.read, b""), 0
    parts: list[bytes] = []
    while held := list(islice(lines, _ROWS_AT_ONCE)):
        parts.append(_with_returns(held))
        number += len(held)
        if len(parts) == _PARTS or number == _ROWS_AT_ONCE:
            if on_rows:
                on_rows(number)
            yield b"".join(parts)
            parts.clear()
    if on_rows:
        on_rows(number)
    yield b"".join(parts)


def _with_returns(rows: list[bytes]) -> bytes:
    """The rows of CSV, each of which ends with a line feed, with the carriage return before it that RFC 4180 wants."""
    piece = b"".join(rows)
    if piece.count(b"\n") == len(rows):  # no line feed inside a cell: the quick way
        return piece.replace(b"\n", b"\r\n")
    return b"".join(bytes(row[:-1]) + b"\r\n" for row in rows)


def columns_of(rows: ExportRows, titles: Collection[str]) -> tuple[ExportColumn, ...]:
    """The columns of these titles, in their order; all when none is named."""
    known = ORDER_COLUMNS if rows is ExportRows.ORDER else ITEM_COLUMNS
    return tuple(column for column in known if column.title in titles) or known


def statement_of(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    rows: ExportRows,
    cells: Sequence[Any],
) -> Select[Any]:
    """All rows that the filter finds in the viewer's scope, with these cells."""
    pages = stores_in_scope(viewer, order_filter)
    values = searched_values(order_filter)
    number = connection.execute(*size_statement(values, pages)).scalar_one()
    return export_statement(
        values, pages, cells, by_item=rows is ExportRows.ITEM, ordered=number <= ORDERED_TO
    )


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
