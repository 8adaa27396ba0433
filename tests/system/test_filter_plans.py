"""Which index answers a filter, among enough orders that PostgreSQL has a choice; as the app's role."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction, owner_engine, viewer_transaction
from db.statements import search
from services.orders.filter_values import FilterValues, filter_values
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import count_orders, find_orders, stores_in_scope
from tests.support import factories
from tests.system.test_query_plans import counted, plan

UTC = ZoneInfo("UTC")
ORDERS = 4_000
# Rare is one order in a thousand, common every second one; what is "gone" was sold in the oldest tenth alone.
_FILL = f"""
INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total, country,
    payment_method)
SELECT n, 1 + n % 2, 'A' || n, 'paid', timestamptz '2026-01-01' + n * interval '10 minutes', now(),
    CASE WHEN n % 1000 = 1 THEN 'CHF' ELSE 'EUR' END, n % 100,
    CASE WHEN n % 1000 = 1 THEN 'CH' WHEN n % 3 = 0 THEN 'Germany' ELSE 'DE' END,
    CASE WHEN n % 1000 = 1 THEN 'Invoice' ELSE 'Visa' END
FROM generate_series(1, {ORDERS}) n;
INSERT INTO order_item (order_id, position, checkout_page_id, item_id, name, sku, price, quantity, amount)
SELECT n, 1, 1 + n % 2, '1', CASE WHEN n % 1000 = 1 THEN 'Rare' WHEN n % 2 = 0 THEN 'Common' ELSE 'Other ' || n END,
    CASE WHEN n < {ORDERS // 10} THEN 'gone' END, 1, 1, 1
FROM generate_series(1, {ORDERS}) n;
INSERT INTO refund_request (order_id, checkout_page_id, status, reason, requester_name, requester_email)
SELECT n, 1 + n % 2, 'requested', CASE WHEN n % 1000 = 0 THEN 'Rare' ELSE 'Bought twice' END, 'n', 'e'
FROM generate_series(10, {ORDERS}, 10) n;
"""
INDEXES = {
    "rare payment method": ("orders_payment_method", SearchInput(payment_method="invoice")),
    "payment method that nobody has": ("orders_payment_method", SearchInput(payment_method="x")),
    "country": ("orders_country", SearchInput(country="DE")),
    "rare country": ("orders_country", SearchInput(country="CH")),
    "currency": ("orders_currency", SearchInput(currency="CHF")),
    "one total": ("orders_currency", SearchInput(total_from="7", total_to="7", currency="EUR")),
    "totals": ("orders_currency", SearchInput(total_from="98", currency="EUR")),
    "rare product": ("order_item_name", SearchInput(product="rare")),
    "rare SKU": ("order_item_sku", SearchInput(product="nothing")),
    "common product": ("orders_newest", SearchInput(product="common")),
    "listed reason": ("refund_request_listed_reason", SearchInput(refund_reason="suspected FRAUD")),
    "rare reason": ("refund_request_reason", SearchInput(refund_reason="rare")),
}


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    account = factories.account("anna", stores=["shop-a", "shop-b"])
    with jobs_transaction() as connection:
        connection.execute(text(_FILL))
    with owner_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE orders, order_item, refund_request"))
    return account


@pytest.mark.parametrize("name", INDEXES)
def test_the_newest_orders_come_from_this_index(anna: int, name: str) -> None:
    index, typed = INDEXES[name]
    order_filter = parse_filter(typed, zone=UTC)
    store_ids = stores_in_scope(factories.viewer(anna), order_filter)
    with viewer_transaction(anna) as connection:
        statement, parameters = search.page_statement(
            order_filter.values, store_ids, limit=51, cursor=None, newer=False
        )
        explained = plan(connection, statement.params(parameters))
    assert index in explained, explained
    # The list of reasons has a dozen rows.
    assert "Seq Scan" not in explained.replace("Seq Scan on refund_reason", "")
    # One index yields them in order: nothing of a store is sorted but what is rare.
    if index.startswith("orders_"):
        assert explained.count("Sort Key") == 1, explained


def test_a_common_filter_reads_no_more_than_a_page(anna: int) -> None:
    """Fifty-one orders per store, whatever the filter; one more store or spelling reads as many again."""
    for typed in (SearchInput(payment_method="visa"), SearchInput(currency="EUR"), SearchInput(country="DE")):
        order_filter = parse_filter(typed, zone=UTC)
        statement, parameters = search.page_statement(
            order_filter.values, [1, 2], limit=51, cursor=None, newer=False
        )
        with viewer_transaction(anna) as connection:
            compiled = statement.params(parameters).compile(dialect=connection.dialect)
            cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {compiled}", compiled.params)
            [[[tree]]] = cursor.fetchall()
        assert max(read(tree["Plan"])) <= 51 * 6


def read(node: dict[str, object]) -> list[float]:
    """The rows that each scan of an index has read."""
    here = []
    if "Index Name" in node:
        rows = float(str(node["Actual Rows"])) + float(str(node.get("Rows Removed by Filter", 0)))
        here.append(rows * float(str(node["Actual Loops"])))
    children = node.get("Plans", [])
    assert isinstance(children, list)
    return here + [rows for child in children for rows in read(child)] or [0.0]


def test_both_forms_find_the_same_orders(anna: int) -> None:
    viewer = factories.viewer(anna)
    for name, number in (("common", ORDERS // 2), ("gone", ORDERS // 10 - 1), ("rare", 4)):
        order_filter = parse_filter(SearchInput(product=name), zone=UTC)
        with viewer_transaction(anna) as connection:
            assert count_orders(connection, viewer, order_filter).number == number
            assert len(find_orders(connection, viewer, order_filter).rows) == min(50, number)
        month = SearchInput(product=name, created_from=date(2026, 1, 1), created_to=date(2026, 1, 2))
        with viewer_transaction(anna) as connection:
            days = parse_filter(month, zone=UTC)
            page = find_orders(connection, viewer, days, limit=1_000)
        assert all(row.created_at.date() <= date(2026, 1, 2) for row in page.rows)


def test_the_values_to_choose_from_are_read_from_the_indexes_in_one_statement(anna: int) -> None:
    with viewer_transaction(anna) as connection, counted() as seen:
        values = filter_values(connection, factories.viewer(anna))
        assert len([statement for statement in seen if "WITH RECURSIVE" in statement]) == 1
    assert replace(values, reasons=()) == FilterValues(("Invoice", "Visa"), ("DE", "CH"), ("CHF", "EUR"), ())
    assert values.reasons[:2] == ("Accidental purchase", "Duplicate order"), "in the order of the list"


def test_values_of_foreign_stores_are_not_offered(anna: int) -> None:
    outsider = factories.account("bea", stores=["shop-c"])
    with viewer_transaction(outsider) as connection:
        values = filter_values(connection, factories.viewer(outsider))
    assert replace(values, reasons=()) == FilterValues((), (), (), ())
