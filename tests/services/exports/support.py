"""What the tests of exports search in, and the files that they get."""

import io
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from db.connections.engine import viewer_transaction
from services.exports.columns import ExportRows
from services.exports.csv_file import export_orders
from services.exports.runs import record_export
from services.exports.workbook import export_workbook
from services.orders.filters import SearchInput, parse_filter
from tests.support import factories

ZONE = ZoneInfo("America/Sao_Paulo")


NAMES = (
    "=HYPERLINK(\"http://evil.example\")", "+1", "-2", "@SUM(A1)", "\ttab", "\rreturn", "plain",
    "with, comma", 'with "quotes"',
    "two\nlines", "two\r\nlines", "Юлия", "👨‍👩‍👧", "\u202eabc",
    "'already", "NA", "null", "007", "1e5", " ends with a space ",
)  # fmt: skip


def exported(account_id: int, rows: ExportRows = ExportRows.ORDER, **typed: Any) -> bytes:
    order_filter = parse_filter(SearchInput(**typed), zone=ZONE)
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        record_export(connection, viewer, order_filter, rows=rows, address="192.0.2.1", ending="csv")
        return b"".join(export_orders(connection, viewer, order_filter, rows=rows, zone=ZONE))


def workbook(account_id: int, rows: ExportRows, **typed: Any) -> openpyxl.Workbook:
    with viewer_transaction(account_id) as connection:
        made = export_workbook(
            connection,
            factories.viewer(account_id),
            parse_filter(SearchInput(**typed), zone=ZONE),
            rows=rows,
            zone=ZONE,
        )
        return openpyxl.load_workbook(io.BytesIO(b"".join(made)))
