"""The CSV: every value comes back in pandas, nothing runs in a spreadsheet, nothing foreign is in it."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from db.connections.engine import viewer_transaction
from services.exports import csv_file
from services.exports.columns import ExportRows, column_titles
from services.exports.csv_file import export_orders
from services.exports.runs import file_name, record_export
from services.orders.filters import SearchInput, parse_filter
from services.spreadsheets import escape_formula
from tests.services.exports.support import NAMES, ZONE, exported
from tests.support import factories
from tests.support.factories import document, run


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
