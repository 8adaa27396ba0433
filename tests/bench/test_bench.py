"""The benchmark over a few orders: each part finds the rows that its floor finds. Times are not tested."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bench import exports, growth, imports, opening, orders, reports, results, search, searches
from db.connections import engine

NUMBER = 600
_INDEXES = "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def indexes(database: str) -> object:
    """The indexes before the bulk, which drops them and makes them again."""
    return scalar(_INDEXES)


@pytest.fixture(scope="module")
def specialist(indexes: object) -> int:
    return orders.fill(NUMBER)


def scalar(statement: str) -> Any:
    """The one value of a statement's answer. Any: a value of PostgreSQL."""
    with engine.owner_engine().connect() as connection:
        return connection.execute(text(statement)).scalar_one()


def test_the_data_is_what_a_shop_has(specialist: int) -> None:
    assert scalar("SELECT count(*) FROM orders") == NUMBER
    assert scalar("SELECT count(DISTINCT status) FROM orders") == 4
    assert scalar("SELECT count(DISTINCT currency) FROM orders") >= 5
    assert scalar("SELECT bool_or(deleted) AND NOT bool_and(deleted) FROM activation_code")
    assert (
        scalar("SELECT count(*) FROM subscription s JOIN subscription p ON p.order_id = s.parent_order_id")
        > 10
    )
    assert scalar("SELECT count(*) FROM subscription s JOIN orders p ON p.order_id = s.parent_order_id "
               "WHERE p.checkout_page_id <> s.checkout_page_id") == 0  # fmt: skip
    assert (
        scalar(
            "SELECT min(n) || '-' || max(n) FROM (SELECT count(*) n FROM order_history GROUP BY order_id) h"
        )
        == "2-6"
    )
    assert scalar("SELECT max(n) FROM (SELECT count(*) n FROM order_item GROUP BY order_id) i") == 4
    assert scalar("SELECT max(n) FROM (SELECT count(*) n FROM orders GROUP BY email_key) o") > 5, (
        "no long tail"
    )
    assert (
        scalar("SELECT count(*) FROM refund_request") == scalar("SELECT count(refund_status) FROM orders") > 0
    )
    assert scalar("SELECT count(*) FROM order_document") > 0


def test_the_summaries_that_the_orders_come_with_are_those_of_the_triggers(specialist: int) -> None:
    columns = (
        "sum(hashtext((order_id, delivered, active_subscription, cancelled_subscription)::text)) FROM orders"
    )
    before = scalar(f"SELECT {columns}")
    with engine.owner_engine().begin() as connection:
        connection.execute(text("SELECT refresh_order_summary(array(SELECT order_id FROM orders))"))
    assert scalar(f"SELECT {columns}") == before
    with engine.owner_engine().begin() as connection:  # the control: a wrong summary would have been noticed
        connection.execute(text("UPDATE orders SET delivered = NOT delivered WHERE order_id = 1"))
        connection.execute(text("SELECT refresh_order_summary(ARRAY[1])"))
    assert scalar(f"SELECT {columns}") == before


def test_nothing_is_left_of_the_bulk(specialist: int, indexes: object) -> None:
    assert scalar(_INDEXES) == indexes
    assert scalar("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'") == 0
    with engine.owner_engine().begin() as connection:  # nor does any row lack the row that it belongs to
        for table, parent in (("order_item", "orders"), ("activation_code", "order_item")):
            keys = "order_id" if parent == "orders" else "order_id, position"
            strays = (
                f"SELECT count(*) FROM {table} LEFT JOIN {parent} p USING ({keys}) WHERE p.order_id IS NULL"
            )
            assert connection.execute(text(strays)).scalar_one() == 0


def test_each_search_finds_what_the_sql_finds(specialist: int) -> None:
    rows = search.measure(7, specialist)
    assert len(rows) == 13
    assert all(row["found"] > 0 and row["ms"] > 0 and row["floor ms"] > 0 for row in rows)


def test_a_search_that_finds_other_orders_than_the_sql_is_an_error(
    specialist: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches.Search, "rows", text("SELECT order_id FROM orders LIMIT 3"))
    with pytest.raises(AssertionError, match="not the same rows"):
        search.measure(1, specialist)


def test_each_opened_order_has_what_its_tables_have(specialist: int) -> None:
    assert [row["order"] for row in opening.measure(3, specialist)] == [
        "with a renewal",
        "with documents",
        "with a refund",
        "bought together",
        "any",
    ]


def test_an_export_has_as_many_rows_as_copy(specialist: int) -> None:
    by_order, by_item = exports.measure(1, specialist)
    assert by_order["rows"] == scalar(
        "SELECT count(*) FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id WHERE p.name < 'bench-4'"
    )
    assert by_item["rows"] > by_order["rows"]


def test_an_import_leaves_the_rows_that_the_documents_were_made_of(specialist: int) -> None:
    before = scalar("SELECT count(*) FROM order_history")
    (row,) = imports.measure(1, specialist)
    assert row["orders"] == NUMBER
    assert row["rows in all tables"] > 5 * NUMBER
    assert scalar("SELECT count(*) FROM order_history") == before
    assert scalar("SELECT max(order_id) FROM orders") == NUMBER


def test_a_report_is_made(specialist: int) -> None:
    assert [row["report of"] for row in reports.measure(1, specialist)] == ["a month", "everything"]


def test_growth_puts_the_sizes_side_by_side(specialist: int) -> None:
    earlier = search.measure(1, specialist)
    rows = growth.measure([300, NUMBER], 1, {NUMBER: earlier})
    assert [row["search"] for row in rows] == [row["search"] for row in earlier]
    assert [row["600: found"] for row in rows] == [row["found"] for row in earlier]
    assert all(row["300: found"] > 0 for row in rows)
    assert scalar("SELECT count(*) FROM orders") == NUMBER, "the database in use is the same as before"


def test_results_are_saved_with_what_they_depend_on(specialist: int, tmp_path: Path) -> None:
    results.save("export", NUMBER, [{"rows": 1}], tmp_path)
    saved = json.loads((tmp_path / "export.json").read_text(encoding="utf-8"))
    assert saved["orders"] == NUMBER
    assert saved["cores"] > 0
    assert int(saved["postgresql"].split(".")[0]) >= 15
    assert saved["rows"] == [{"rows": 1}]
