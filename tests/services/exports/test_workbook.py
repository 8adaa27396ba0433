"""Exports as Excel workbooks."""

import io
from datetime import date, datetime

import openpyxl
import pytest

from db.connections.engine import viewer_transaction
from services.errors import InvalidInput
from services.exports import workbook as workbooks
from services.exports.columns import ExportRows, column_titles
from services.exports.workbook import CELL_UNITS, export_workbook, parts_of, units
from services.orders.filters import SearchInput, parse_filter
from tests.services.exports.support import NAMES, ZONE, workbook
from tests.support import factories
from tests.support.factories import document, item, run


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
    codes_at, name = heading.index("Activation codes"), heading.index("Product")
    whole = "; ".join(codes)
    assert first[codes_at].startswith(
        f"Too long for a cell ({len(whole):,} characters): see the sheet Long values"
    )
    assert second[name].startswith("Too long for a cell (40,000 characters)") and second[codes_at] == "short"
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


def test_a_workbook_tells_how_many_rows_are_written_and_what_that_raises_ends_it(anna: int) -> None:
    class Enough(Exception):
        pass

    def heard(rows: int) -> None:
        seen.append(rows)
        if stops:
            raise Enough

    seen: list[int] = []
    viewer, stops = factories.viewer(anna), False
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
