"""What a search found as a file: all of it, streamed, safe in a spreadsheet and exact in pandas.

CSV leaves PostgreSQL as CSV (COPY), which is some twenty times as fast as making it here row by row.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy import Connection, Select, func, text

from db.export_statements import (
    ITEM_COLUMNS,
    ORDER_COLUMNS,
    ORDERED_TO,
    RISKY,
    ExportColumn,
    Kind,
    csv_cell,
    export_statement,
    size_statement,
)
from services import audit
from services.access import Viewer
from services.errors import InvalidInput
from services.order_filter import OrderFilter
from services.order_search import pages_in_scope

SHEET_ROWS: Final = 1_048_575  # what a sheet holds below its heading
_PIECE: Final = 1 << 16
_BATCH: Final = 1000
_ROWS_AT_ONCE: Final = 250
_PARTS: Final = 4
_EXACT_DIGITS: Final = 15  # of a spreadsheet's numbers; longer ones are written as text


class ExportRows(StrEnum):
    """One line an order, or one line an order item."""

    ORDER = "order"
    ITEM = "item"


def safe_text(value: str | None) -> str:
    """Text that a spreadsheet shows and does not run: an apostrophe before what would begin a formula."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(RISKY) else value


def column_titles(rows: ExportRows) -> tuple[str, ...]:
    """What an export can hold, in its order."""
    return tuple(column.title for column in _columns(rows, ()))


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
        "columns": [c.title for c in _columns(rows, titles)] if titles else "all",
    }
    audit.record(connection, viewer, "export", address=address, details=details)


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
    columns = _columns(rows, titles)
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
    statement = _statement(connection, viewer, order_filter, rows, [csv_cell(column) for column in columns])
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


def export_workbook(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    rows: ExportRows,
    zone: ZoneInfo,
    titles: Collection[str] = (),
    now: datetime | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """The same as an Excel workbook, with a first sheet that says what was asked for.

    Text stays text whatever it begins with; amounts and times are a spreadsheet's own. Raises `InvalidInput` when there
    are more rows than a sheet holds; nothing has left by then. `on_rows` hears now and then how many rows are written;
    what it raises ends the export.
    """
    columns = _columns(rows, titles)
    cells = [
        func.timezone(zone.key, column.expression) if column.kind is Kind.TIME else column.expression
        for column in columns
    ]
    statement = _statement(connection, viewer, order_filter, rows, cells)
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(statement)
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            _describe(book.add_worksheet("Search"), viewer, order_filter, zone, now or datetime.now(UTC))
            sheet = book.add_worksheet("Orders" if rows is ExportRows.ORDER else "Items")
            formats = {"time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})}
            bold = book.add_format({"bold": True})
            for place, column in enumerate(columns):
                sheet.write_string(0, place, column.title, bold)
            sheet.freeze_panes(1, 0)
            number = 0
            for number, row in enumerate((row for batch in result.partitions() for row in batch), 1):
                if number > SHEET_ROWS:
                    raise InvalidInput(f"A sheet holds {SHEET_ROWS:,} rows. Narrow the search, or take CSV.")
                for place, value in enumerate(row):
                    _write(sheet, number, place, value, formats)
                if on_rows and number % _BATCH == 0:
                    on_rows(number)
            if on_rows:
                on_rows(number)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _write(sheet: Any, row: int, place: int, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, datetime):
        sheet.write_datetime(row, place, value, formats["time"])
    elif isinstance(value, int | Decimal) and len(str(value).strip("-").replace(".", "")) <= _EXACT_DIGITS:
        sheet.write_number(row, place, value)
    else:
        sheet.write_string(row, place, str(value)[:32767])


def _describe(sheet: Any, viewer: Viewer, order_filter: OrderFilter, zone: ZoneInfo, now: datetime) -> None:
    fields = order_filter.to_json()["fields"]
    lines = [
        ("Made", f"{now.astimezone(zone):%Y-%m-%d %H:%M}"),
        ("By", viewer.email),
        ("Time zone", zone.key),
        *((name.replace("_", " ").capitalize(), _words(value)) for name, value in fields.items()),
    ]
    for number, (name, value) in enumerate(lines):
        sheet.write_string(number, 0, name)
        sheet.write_string(number, 1, value[:32767])
    sheet.set_column(0, 1, 28)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _columns(rows: ExportRows, titles: Collection[str]) -> tuple[ExportColumn, ...]:
    known = ORDER_COLUMNS if rows is ExportRows.ORDER else ITEM_COLUMNS
    return tuple(column for column in known if column.title in titles) or known


def _statement(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    rows: ExportRows,
    cells: Sequence[Any],
) -> Select[Any]:
    pages = pages_in_scope(viewer, order_filter)
    number = connection.execute(*size_statement(order_filter, pages)).scalar_one()
    return export_statement(
        order_filter, pages, cells, by_item=rows is ExportRows.ITEM, ordered=number <= ORDERED_TO
    )


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
