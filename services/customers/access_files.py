"""The answer to an access request as a file: a workbook to read, or JSON, order by order."""

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Final
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy import Connection

from services.access import Viewer
from services.customers.access_request import HeldData, Section, collect_held_data
from services.customers.personal_columns import LEFT_OUT
from services.spreadsheets import parts_of

_PIECE: Final = 1 << 16
_SHEET_NAME: Final = 31  # characters, at most
_SHEET_ROWS: Final = 1_048_576
_COLUMN_WIDTH: Final = 22
_NOT_WHOLE: Final = (
    "The person has had more e-mails or phone numbers than texts about others were searched for, so some mentions may "
    "be missing."
)


def export_person(
    connection: Connection, viewer: Viewer, order_id: int, *, ending: str, zone: ZoneInfo
) -> Iterator[bytes]:
    """The file in pieces; `ending` is `json` or `xlsx`, times are in `zone`. Raises as `collect_held_data` does."""
    data = collect_held_data(connection, viewer, order_id)
    yield from (as_json(data, zone) if ending == "json" else as_workbook(data, zone))


def _facts(data: HeldData, zone: ZoneInfo) -> dict[str, str]:
    facts = {
        "e-mail": data.email,
        "made": data.made_at.astimezone(zone).isoformat(timespec="seconds"),
        "made by": data.made_by,
        "time zone": zone.key,
        "left out": "; ".join(
            f"{table.replace('_', ' ')}, {column.replace('_', ' ')}: {why}"
            for (table, column), why in LEFT_OUT.items()
        ),
    }
    return facts if data.is_whole else facts | {"note": _NOT_WHOLE}


def as_json(data: HeldData, zone: ZoneInfo) -> Iterator[bytes]:
    """One object: facts, then `orders`, each with everything that belongs to it, then what belongs to no own order."""
    by_order: dict[object, dict[str, object]] = {}
    beside: dict[str, object] = {}
    own = next((section for section in data.sections if section.name == "orders"), None)
    for row in own.rows if own else ():
        by_order[row[0]] = _named(own, row, zone) if own else {}
    for section in data.sections:
        if section.name == "orders":
            continue
        for row in section.rows:
            owner = by_order.get(row[0], beside) if section.of_orders else beside
            rows = owner.setdefault(section.name, [])
            assert isinstance(rows, list)  # noqa: S101 - for the type checker
            rows.append(_named(section, row, zone))
    answer = {"about": _facts(data, zone), "orders": list(by_order.values()), **beside}
    text = json.dumps(answer, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def _named(section: Section, row: tuple[object, ...], zone: ZoneInfo) -> dict[str, object]:
    return {name: _plain(value, zone) for name, value in zip(section.columns, row, strict=True)}


def _plain(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return str(value) if isinstance(value, Decimal) else value


def as_workbook(data: HeldData, zone: ZoneInfo) -> Iterator[bytes]:
    """A sheet of facts, then one per section. Every value is text, so that nothing in it is ever run."""
    facts = Section("about", ("", ""), tuple(_facts(data, zone).items()))
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            bold = book.add_format({"bold": True})
            for section in (facts, *data.sections):
                sheet = book.add_worksheet(section.name[:_SHEET_NAME].capitalize())
                sheet.set_column(0, len(section.columns) - 1, _COLUMN_WIDTH)
                sheet.freeze_panes(1, 0)
                lines = [tuple(name.replace("_", " ").capitalize() for name in section.columns)]
                lines += (line for row in section.rows for line in _lines(row, zone))
                for number, line in enumerate(lines[:_SHEET_ROWS]):
                    for index, cell in enumerate(line):
                        if cell:
                            sheet.write_string(number, index, cell, None if number else bold)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _lines(row: tuple[object, ...], zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    """The row as lines of cells: what is too long for one goes on in the cell below."""
    parts = [parts_of("" if value is None else _text(_plain(value, zone))) for value in row]
    yield from zip_longest(*parts, fillvalue="")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
