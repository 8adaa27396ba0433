"""An export as an Excel workbook: the search, the rows, and the full text of values too long for a cell."""

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy import Connection, func

from db.statements.exports import Kind
from services.access import Viewer
from services.errors import InvalidInput
from services.exports.columns import ExportRows, columns_of, statement_of
from services.orders.filters import OrderFilter
from services.spreadsheets import CELL_UNITS as CELL_UNITS
from services.spreadsheets import parts_of as parts_of
from services.spreadsheets import units as units

SHEET_ROWS: Final = 1_048_575  # what a sheet holds below its heading
_PIECE: Final = 1 << 16
_BATCH: Final = 1000
_EXACT_DIGITS: Final = 15  # of a spreadsheet's numbers; longer ones are written as text
_LONG: Final = "Long values"


class _Format(Protocol):
    """A format of cells."""


class _Worksheet(Protocol):
    """The methods of xlsxwriter's sheets that are used here; the package has no types."""

    def write_string(self, row: int, column: int, text: str, style: _Format | None = None, /) -> object: ...

    def write_number(self, row: int, column: int, number: int | Decimal, /) -> object: ...

    def write_datetime(self, row: int, column: int, at: datetime, style: _Format, /) -> object: ...

    def set_column(self, first: int, last: int, width: int, /) -> object: ...

    def freeze_panes(self, row: int, column: int, /) -> object: ...


class _Workbook(Protocol):
    def add_worksheet(self, name: str, /) -> _Worksheet: ...

    def add_format(self, properties: dict[str, object], /) -> _Format: ...


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
    """The same rows as `export_orders` gives, as a workbook whose first sheet states the search.

    Text stays text whatever it begins with; amounts and times are a spreadsheet's own. A text too long for a cell is
    complete in the sheet *Long values*; its cell and the first sheet say so. Raises `InvalidInput` when there are more
    rows than a sheet holds; nothing has been sent by then. `on_rows` is called from time to time with the number of
    rows written; an exception from it ends the export.
    """
    columns = columns_of(rows, titles)
    cells = [
        func.timezone(zone.key, column.expression) if column.kind is Kind.TIME else column.expression
        for column in columns
    ]
    statement = statement_of(connection, viewer, order_filter, rows, cells)
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(statement)
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            facts = _Facts(book, viewer, order_filter, zone, now or datetime.now(UTC))
            sheet = _Sheet(
                book, "Orders" if rows is ExportRows.ORDER else "Items", [c.title for c in columns]
            )
            number = 0
            for number, row in enumerate((row for batch in result.partitions() for row in batch), 1):
                sheet.add(row)
                if on_rows and number % _BATCH == 0:
                    on_rows(number)
            if on_rows:
                on_rows(number)
            if sheet.long_values:
                facts.add(
                    _LONG,
                    f"{sheet.long_values:,} cells say so in place of a text of more than {CELL_UNITS:,} characters, "
                    f"the most that a cell can be. The sheet {_LONG} has these texts whole, in parts.",
                )
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


class _Facts:
    """The first sheet: a name and a value per row. A value too long for a cell continues in the rows below."""

    def __init__(
        self, book: _Workbook, viewer: Viewer, order_filter: OrderFilter, zone: ZoneInfo, now: datetime
    ) -> None:
        self._sheet, self._row = book.add_worksheet("Search"), 0
        self._sheet.set_column(0, 1, 28)
        fields = order_filter.to_json()["fields"]
        for name, value in (
            ("Made", f"{now.astimezone(zone):%Y-%m-%d %H:%M}"),
            ("By", viewer.email),
            ("Time zone", zone.key),
            *((name.replace("_", " ").capitalize(), _text_of(value)) for name, value in fields.items()),
        ):
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        for number, part in enumerate(parts_of(value)):
            self._sheet.write_string(self._row, 0, name if number == 0 else f"{name}, part {number + 1}")
            self._sheet.write_string(self._row, 1, part)
            self._row += 1


class _Sheet:
    """The sheet of rows, and the one for values too long for a cell, which is added when it is needed."""

    def __init__(self, book: _Workbook, name: str, titles: list[str]) -> None:
        self._book, self._titles, self._name = book, titles, name
        self._sheet = _headed(book, name, titles)
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._rows = 0
        self._long: _Worksheet | None = None
        self._long_rows = self.long_values = 0

    def add(self, row: Iterable[object]) -> None:
        self._rows = _counted(self._rows)
        for index, value in enumerate(row):
            self._write(index, value)

    def _write(self, index: int, value: object) -> None:
        if value is None:
            return
        if isinstance(value, datetime):
            self._sheet.write_datetime(self._rows, index, value, self._time)
        elif (
            isinstance(value, int | Decimal) and len(str(value).strip("-").replace(".", "")) <= _EXACT_DIGITS
        ):
            self._sheet.write_number(self._rows, index, value)
        elif len(text := str(value)) <= CELL_UNITS // 2 or units(text) <= CELL_UNITS:
            self._sheet.write_string(self._rows, index, text)
        else:
            self._sheet.write_string(self._rows, index, self._put_aside(index, text))

    def _put_aside(self, index: int, text: str) -> str:
        """Write the text into the other sheet and return what to write in its place."""
        if self._long is None:
            self._long = _headed(self._book, _LONG, ["Sheet", "Row", "Column", "Part", "Text"])
        self.long_values += 1
        first = self._long_rows + 2
        for number, part in enumerate(parts_of(text), 1):
            self._long_rows = _counted(self._long_rows)
            self._long.write_string(self._long_rows, 0, self._name)
            self._long.write_number(self._long_rows, 1, self._rows + 1)
            self._long.write_string(self._long_rows, 2, self._titles[index])
            self._long.write_number(self._long_rows, 3, number)
            self._long.write_string(self._long_rows, 4, part)
        return (
            f"Too long for a cell ({len(text):,} characters): see the sheet {_LONG}, "
            f"rows {first:,} to {self._long_rows + 1:,}."
        )


def _headed(book: _Workbook, name: str, titles: list[str]) -> _Worksheet:
    sheet, bold = book.add_worksheet(name), book.add_format({"bold": True})
    for index, title in enumerate(titles):
        sheet.write_string(0, index, title, bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _counted(rows: int) -> int:
    if rows >= SHEET_ROWS:
        raise InvalidInput(f"A sheet holds {SHEET_ROWS:,} rows. Narrow the search, or take CSV.")
    return rows + 1


def _text_of(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
