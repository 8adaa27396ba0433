"""The CSV: every value comes back in pandas, nothing runs in a spreadsheet, nothing foreign is in it."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest

from db.connections.engine import viewer_transaction
from services.errors import InvalidInput
from services.exports import csv_file
from services.exports import workbook as workbooks
from services.exports.columns import ExportRows, column_titles
from services.exports.csv_file import export_orders
from services.exports.runs import file_name, record_export
from services.exports.workbook import CELL_UNITS, export_workbook, parts_of, units
from services.orders.filters import SearchInput, parse_filter
from services.spreadsheets import escape_formula
from tests.support import factories
from tests.support.factories import document, item, run

ZONE = ZoneInfo("America/Sao_Paulo")
NAMES = (
    "=HYPERLINK(\"http://evil.example\")", "+1", "-2", "@SUM(A1)", "\ttab", "\rreturn", "plain",
    "with, comma", 'with "quotes"',
    "two\nlines", "two\r\nlines", "Юлия", "👨‍👩‍👧", "\u202eabc",
    "'already", "NA", "null", "007", "1e5", " ends with a space ",
)  # fmt: skip


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(
        *(
            document(
                order_id=n,
                order_id_1c=f"0{n}",
                customer={"first_name": name, "company_name": name, "phone": "+49 30 1"},
                create_date=f"2026-03-{n:02}T00:30:00Z",
                items=[
                    item(name=name, activation_codes=[{"code": name}]),
                    item(item_id="b", amount="1234567.89"),
                ],
            )
            for n, name in enumerate(NAMES, 1)
        ),
        document(order_id=500, checkout_page="shop-b"),
    )
    return factories.account("anna", stores=["shop-a"])


def exported(account_id: int, rows: ExportRows = ExportRows.ORDER, **typed: object) -> bytes:
    order_filter = parse_filter(SearchInput(**typed), zone=ZONE)
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        record_export(connection, viewer, order_filter, rows=rows, address="192.0.2.1", ending="csv")
        return b"".join(export_orders(connection, viewer, order_filter, rows=rows, zone=ZONE))


def test_pandas_gives_back_every_value(anna: int) -> None:
    frame = pd.read_csv(io.BytesIO(exported(anna)), dtype=str, keep_default_na=False)
    assert list(frame["Order ID"]) == [str(n) for n in range(len(NAMES), 0, -1)]
    assert [
        name.removeprefix("'") if name != "'already" else name for name in reversed(frame["First Name"])
    ] == list(NAMES)
    assert list(frame["1C ID"]) == [f"0{n}" for n in range(len(NAMES), 0, -1)]
    assert {Decimal(total) for total in frame["Total"]} == {Decimal("1234577.89")}
    times = pd.to_datetime(frame["Creation date"])
    assert str(times.iloc[-1]) == "2026-02-28 21:30:00-03:00"


def test_no_text_cell_begins_as_a_formula_does(anna: int) -> None:
    for rows in ExportRows:
        text = exported(anna, rows).decode("utf-8-sig")
        for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
            risky = [cell for cell in row if cell[:1] in "=+-@\t\r" and cell]
            assert risky == []


def test_numbers_are_left_as_they_are(anna: int) -> None:
    assert escape_formula("-5") == "'-5"
    text = exported(anna, ExportRows.ITEM).decode("utf-8-sig")
    assert ",1234567.89," in text


def test_it_is_rfc_4180_with_a_byte_order_mark(anna: int) -> None:
    raw = exported(anna)
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    widths = {len(row) for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))}
    assert len(widths) == 1


def test_one_row_an_item_has_its_codes(anna: int) -> None:
    frame = pd.read_csv(io.BytesIO(exported(anna, ExportRows.ITEM)), dtype=str, keep_default_na=False)
    assert len(frame) == 2 * len(NAMES)
    plain = frame[(frame["Order ID"] == "7") & (frame["Item"] == "1")].iloc[0]
    assert (plain["Product"], plain["Activation codes"]) == ("plain", "plain")


def test_it_holds_what_the_search_finds_and_nothing_foreign(anna: int) -> None:
    frame = pd.read_csv(io.BytesIO(exported(anna, order_ids="3 4 500")), dtype=str)
    assert list(frame["Order ID"]) == ["4", "3"]
    assert b"shop-b" not in exported(anna)


def test_it_is_recorded_without_what_was_searched_for(anna: int) -> None:
    exported(anna, first_name="Юлия")
    [details] = run("SELECT details FROM audit_log WHERE action = 'export' ORDER BY id DESC LIMIT 1")[0]
    assert details == {"rows": "order", "format": "csv", "fields": ["first_name"], "columns": "all"}


def test_rows_format_and_columns_are_recorded(anna: int) -> None:
    viewer = factories.viewer(anna)
    with viewer_transaction(anna) as connection:
        record_export(
            connection,
            viewer,
            parse_filter(SearchInput(), zone=ZONE),
            rows=ExportRows.ITEM,
            address=None,
            ending="xlsx",
            titles=["Product", "Order ID", "ines@example.com"],
        )
    [details] = run("SELECT details FROM audit_log WHERE action = 'export' ORDER BY id DESC LIMIT 1")[0]
    assert details == {"rows": "item", "format": "xlsx", "fields": [], "columns": ["Order ID", "Product"]}


def test_only_the_columns_that_were_asked_for(anna: int) -> None:
    viewer, wanted = factories.viewer(anna), ["Total", "Order ID", "no such column"]
    with viewer_transaction(anna) as connection:
        text = b"".join(
            export_orders(
                connection,
                viewer,
                parse_filter(SearchInput(order_ids="7"), zone=ZONE),
                rows=ExportRows.ORDER,
                zone=ZONE,
                titles=wanted,
            )
        ).decode("utf-8-sig")
    assert text == "Order ID,Total\r\n7,1234577.89\r\n"
    assert set(column_titles(ExportRows.ORDER)) < set(column_titles(ExportRows.ITEM))


def test_a_workbook_keeps_text_as_text_and_says_what_was_asked(anna: int) -> None:
    viewer = factories.viewer(anna)
    with viewer_transaction(anna) as connection:
        made = b"".join(
            export_workbook(
                connection,
                viewer,
                parse_filter(
                    SearchInput(created_from=date(2026, 2, 1), created_to=date(2026, 3, 31)), zone=ZONE
                ),
                rows=ExportRows.ITEM,
                zone=ZONE,
            )
        )
    book = openpyxl.load_workbook(io.BytesIO(made))
    asked = {row[0].value: row[1].value for row in book["Search"].iter_rows()}
    assert (asked["Time zone"], asked["Created from"]) == ("America/Sao_Paulo", "2026-02-01")
    heading, *lines = book["Items"].iter_rows()
    titles = [cell.value for cell in heading]
    assert titles == list(column_titles(ExportRows.ITEM)) and len(lines) == 2 * len(NAMES)
    first = dict(zip(titles, lines[-2], strict=True))
    assert {cell.data_type for line in lines for cell in line} <= {"n", "s", "d"}, "no formula"
    assert (first["Order ID"].value, first["Total"].value) == (1, 1234577.89)
    assert first["First Name"].value == NAMES[0]
    assert first["Creation date"].value == datetime(2026, 2, 28, 21, 30)  # noqa: DTZ001 - a sheet has no zones
    assert first["1C ID"].value == "01"


def workbook(account_id: int, rows: ExportRows, **typed: object) -> openpyxl.Workbook:
    with viewer_transaction(account_id) as connection:
        made = export_workbook(
            connection,
            factories.viewer(account_id),
            parse_filter(SearchInput(**typed), zone=ZONE),
            rows=rows,
            zone=ZONE,
        )
        return openpyxl.load_workbook(io.BytesIO(b"".join(made)))


@pytest.mark.parametrize("letter", ["K", "ж", "🗝"])
def test_what_is_too_long_for_a_cell_is_whole_in_a_sheet_of_its_own_and_that_is_said(
    database: str, letter: str
) -> None:
    codes = [f"{n:02}{letter * 1898}" for n in range(20)]
    order_id = 600 + ord(letter) % 97
    factories.take_in(
        document(
            order_id=order_id,
            checkout_page="shop-long",
            items=[
                item(activation_codes=[{"code": code} for code in codes]),
                item(item_id="b", name="N", activation_codes=[{"code": "short"}]),
            ],
        )
    )
    # Another program may write what no document can bring.
    run("UPDATE order_item SET name = repeat('N', 40000) WHERE order_id = :id AND position = 2", id=order_id)
    reader = factories.account(f"reader-{order_id}", stores=["shop-long"])
    book = workbook(reader, ExportRows.ITEM, order_ids=str(order_id))
    heading, first, second = [[cell.value for cell in row] for row in book["Items"].iter_rows()]
    place, name = heading.index("Activation codes"), heading.index("Product")
    whole = "; ".join(codes)
    assert first[place].startswith(
        f"Too long for a cell ({len(whole):,} characters): see the sheet Long values"
    )
    assert second[name].startswith("Too long for a cell (40,000 characters)") and second[place] == "short"
    _, *lines = [[cell.value for cell in row] for row in book["Long values"].iter_rows()]
    assert (
        "".join(text for _, row, column, _, text in lines if (row, column) == (2, "Activation codes"))
        == whole
    )
    assert (
        "".join(text for _, row, column, _, text in lines if (row, column) == (3, "Product")) == "N" * 40_000
    )
    assert all(units(text) <= CELL_UNITS for *_, text in lines)
    facts = {row[0].value: row[1].value for row in book["Search"].iter_rows()}
    assert facts["Long values"].startswith("2 cells say so")


def test_a_workbook_without_long_values_has_no_sheet_for_them(anna: int) -> None:
    assert workbook(anna, ExportRows.ITEM, order_ids="7").sheetnames == ["Search", "Items"]


def test_what_was_asked_for_is_whole_however_long(anna: int) -> None:
    asked = [str(10**9 + n) for n in range(9_000)]
    sheet = workbook(anna, ExportRows.ORDER, order_ids=" ".join(asked))["Search"]
    rows = [(row[0].value, row[1].value) for row in sheet.iter_rows() if row[0].value.startswith("Order ids")]
    assert [name for name, _ in rows] == [
        "Order ids",
        "Order ids, part 2",
        "Order ids, part 3",
        "Order ids, part 4",
    ]
    assert "".join(value for _, value in rows).split() == asked


def test_more_rows_than_a_sheet_holds_are_refused_before_anything_leaves(
    anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "SHEET_ROWS", 5)
    with pytest.raises(InvalidInput, match="A sheet holds 5 rows"):
        workbook(anna, ExportRows.ORDER)


def test_parts_are_the_text() -> None:
    for text in ("", "a" * 32_767, "a" * 32_768, "🗝" * 16_383 + "a", "🗝" * 16_384, "ab🗝" * 30_000):
        parts = parts_of(text)
        assert "".join(parts) == text and all(units(part) <= CELL_UNITS for part in parts)
    assert len(parts_of("a" * 32_767)) == len(parts_of("🗝" * 16_383 + "a")) == 1


def test_csv_tells_how_many_rows_there_are_however_many_lines_they_have(
    anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(csv_file, "_PARTS", 2)
    heard: list[int] = []
    with viewer_transaction(anna) as connection:
        made = export_orders(
            connection,
            factories.viewer(anna),
            parse_filter(SearchInput(), zone=ZONE),
            rows=ExportRows.ORDER,
            zone=ZONE,
            on_rows=heard.append,
        )
        whole = b"".join(made)
    assert whole.count(b"\n") > len(NAMES) + 1, "some cells hold line feeds"
    assert heard[0] == 2, "the first piece does not wait for others"
    assert heard[-1] == len(NAMES) and heard == sorted(heard)


def test_a_workbook_tells_how_many_rows_are_written_and_what_that_raises_ends_it(anna: int) -> None:
    class Enough(Exception):
        pass

    def heard(rows: int) -> None:
        seen.append(rows)
        if stops:
            raise Enough

    viewer, seen, stops = factories.viewer(anna), [], False
    order_filter = parse_filter(SearchInput(), zone=ZONE)
    with viewer_transaction(anna) as connection:
        made = export_workbook(
            connection, viewer, order_filter, rows=ExportRows.ORDER, zone=ZONE, on_rows=heard
        )
        assert next(made).startswith(b"PK")
        assert seen == [len(NAMES)]
    stops = True
    with pytest.raises(Enough), viewer_transaction(anna) as connection:
        next(
            export_workbook(connection, viewer, order_filter, rows=ExportRows.ORDER, zone=ZONE, on_rows=heard)
        )


def test_the_files_name_says_what_and_nothing_personal() -> None:
    asked = SearchInput(created_from=date(2026, 3, 1), email="ines@example.com", stores=("shop/../a",))
    name = file_name(
        parse_filter(asked, zone=ZONE), ExportRows.ORDER, ZONE, now=datetime(2026, 3, 2, 1, tzinfo=UTC)
    )
    assert name == "orders_2026-03-01_created-2026-03-01..2026-03-01_shop-..-a_America-Sao-Paulo".replace(
        "Sao-Paulo", "Sao_Paulo"
    )


def test_nothing_found_is_a_file_with_a_heading(anna: int) -> None:
    text = exported(anna, order_ids="999999").decode("utf-8-sig")
    assert text.startswith("Order ID,") and text.count("\r\n") == 1


def test_memory_stays_flat_because_rows_come_in_pieces(anna: int) -> None:
    factories.take_in(*(document(order_id=10_000 + n, checkout_page="shop-c") for n in range(2_500)))
    other = factories.account("other", stores=["shop-c"])
    viewer = factories.viewer(other)
    with viewer_transaction(other) as connection:
        order_filter = parse_filter(SearchInput(), zone=ZONE)
        sizes = [
            len(p) for p in export_orders(connection, viewer, order_filter, rows=ExportRows.ORDER, zone=ZONE)
        ]
    assert len(sizes) >= 3 and max(sizes) < sum(sizes) / 2
