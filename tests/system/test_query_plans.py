"""How searches are answered: by an index whatever is asked for, under row-level security, in few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, text

from db.connections.engine import app_engine, jobs_transaction, viewer_transaction
from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from db.statements import refund_report, search
from db.statements.conditions import SearchValues
from db.statements.refund_report import RefundGrouping
from services.orders.detail import get_order, get_orders
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.search import count_orders, find_orders, stores_in_scope
from tests.support import factories
from tests.support.factories import document, item

UTC = ZoneInfo("UTC")
DAY, MONTH = date(2026, 3, 1), date(2026, 3, 31)
COMMON = "ab12"
SEARCHES = {
    "nothing": SearchInput(),
    "a day": SearchInput(created_from=DAY),
    "a month and Paid": SearchInput(
        created_from=DAY, created_to=MONTH, statuses=frozenset({MainStatus.PAID})
    ),
    "payment dates": SearchInput(paid_from=DAY, paid_to=MONTH),
    "IDs": SearchInput(order_ids="1 2 3"),
    "e-mail": SearchInput(email="ines@example.com"),
    "phone": SearchInput(phone="+49 30 1"),
    "first name": SearchInput(first_name="Inês"),
    "last name and a quarter": SearchInput(last_name="Araújo", created_from=DAY, created_to=MONTH),
    "company": SearchInput(company="x"),
    "VAT number": SearchInput(vat_number="x"),
    "card and a month": SearchInput(card_last_4="4711", created_from=DAY, created_to=MONTH),
    "part of a code": SearchInput(activation_code="b12-c3d4"),
    "three characters of a code": SearchInput(activation_code="b12"),
    "what very many codes contain": SearchInput(activation_code=COMMON),
    "what very many codes contain, and a day": SearchInput(activation_code=COMMON, created_from=DAY),
    "delivery": SearchInput(delivery=frozenset({DeliveryStatus.NOT_DELIVERED})),
    "refund": SearchInput(refunds=frozenset({RefundStatus.REQUESTED})),
    "subscription": SearchInput(subscription=SubscriptionFilter.ACTIVATED),
    "payment method": SearchInput(payment_method="Visa"),
    "country": SearchInput(country="Germany"),
    "total": SearchInput(total_from="10", total_to="10.00", currency="EUR"),
    "totals and a month": SearchInput(total_to="10", currency="EUR", created_from=DAY, created_to=MONTH),
    "product": SearchInput(product="Antivirus"),
    "product and last name": SearchInput(product="Antivirus", last_name="Araújo"),
    "reason for refund": SearchInput(refund_reason="Bought twice"),
}
# What is rare has an index of its own, so that a search for it does not walk over everything.
RARE = {
    "orders_undelivered": SearchInput(delivery=frozenset({DeliveryStatus.NOT_DELIVERED})),
    "orders_subscribed": SearchInput(subscription=SubscriptionFilter.WITH),
    "orders_unsubscribed": SearchInput(subscription=SubscriptionFilter.DEACTIVATED),
}


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    subscription = {"id": "S1", "type": "AR", "status": "active"}
    factories.take_in(
        *(
            document(
                order_id=n,
                checkout_page=store,
                items=[item(subscription=subscription, activation_codes=[{"code": f"AB12-C3D4-{n}"}])],
                history=[{"date": "2026-03-01T10:00:00Z", "kind": "status", "text": "see A0000000002"}],
                documents=[{"name": "x.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
                related_orders=[{"order_id": n % 20 + 1, "relation": "typo"}],
            )
            for n, store in enumerate(["shop-a", "shop-b"] * 10, 1)
        )
    )
    return factories.account("anna", stores=["shop-a", "shop-b"])


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the app's role sends meanwhile."""
    seen: list[str] = []

    def sent(_: object, __: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    engine = app_engine()
    event.listen(engine, "before_cursor_execute", sent)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", sent)


def plan(connection: Connection, statement: object) -> str:
    compiled = statement.compile(  # type: ignore[attr-defined]
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    cursor.execute(f"EXPLAIN (COSTS off) {compiled}", compiled.params)
    return "\n".join(row[0] for row in cursor.fetchall())


def looked_up(order_filter: OrderFilter) -> SearchValues:
    """The values of the search: the orders of a code have been looked up, unless very many have it."""
    values = order_filter.values
    if values.code_fragment is None:
        return values
    if values.code_fragment == COMMON:
        return replace(values, code_fragment=None, common_fragment=COMMON)
    return replace(values, code_fragment=None, code_orders=(1, 2, 3))


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_scans_a_table(anna: int, name: str) -> None:
    asks, order_filter = factories.viewer(anna), parse_filter(SEARCHES[name], zone=UTC)
    store_ids = stores_in_scope(asks, order_filter)
    with viewer_transaction(anna) as connection:
        # With twenty orders a scan is cheapest: only where no index will do is one left when it is discouraged.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        values = looked_up(order_filter)
        for statement, parameters in (
            search.page_statement(values, store_ids, limit=51, cursor=None, newer=False),
            search.count_statement(values, store_ids, most=10_001),
        ):
            explained = plan(connection, statement.params(parameters))
            # The list of reasons for refunds has a dozen rows.
            assert "Seq Scan" not in explained.replace("Seq Scan on refund_reason", ""), explained
            assert "Index" in explained


@pytest.mark.parametrize("index", RARE)
def test_what_is_rare_is_found_by_an_index_of_its_own(anna: int, index: str) -> None:
    asks, order_filter = factories.viewer(anna), parse_filter(RARE[index], zone=UTC)
    with viewer_transaction(anna) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement, parameters = search.page_statement(
            order_filter.values,
            stores_in_scope(asks, order_filter),
            limit=51,
            cursor=None,
            newer=False,
        )
        assert f"using {index}" in plan(connection, statement.params(parameters))


@pytest.mark.parametrize("grouping", RefundGrouping)
def test_the_report_on_refunds_reads_no_order_without_a_request(anna: int, grouping: RefundGrouping) -> None:
    asks = factories.viewer(anna)
    order_filter = parse_filter(SearchInput(created_from=DAY, created_to=MONTH), zone=UTC)
    arguments = grouping, order_filter.values, stores_in_scope(asks, order_filter)
    with viewer_transaction(anna) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement in (
            refund_report.groups_statement(*arguments, most=200),
            refund_report.sums_statement(*arguments),
            refund_report.orders_statement(*arguments, label="x", most=100),
        ):
            explained = plan(connection, statement)
            assert "Seq Scan on orders" not in explained
            assert "orders_refund" in explained or "on refund_request" in explained.split("on orders")[0], (
                explained
            )


def test_the_control_a_condition_without_an_index_is_seen(anna: int) -> None:
    with viewer_transaction(anna) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        assert "Seq Scan on order_history" in plan(
            connection, text("SELECT FROM order_history WHERE text = 'x'").columns()
        )


def test_the_codes_are_found_by_their_trigrams(anna: int) -> None:
    with jobs_transaction() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
        cursor.execute("EXPLAIN SELECT order_id FROM activation_code WHERE code_key LIKE '%b12%'")
        assert "activation_code_fragment" in str(cursor.fetchall())


def test_opening_an_order_takes_six_statements_at_most_and_ten_no_more(anna: int) -> None:
    asks = factories.viewer(anna)
    with viewer_transaction(anna) as connection:
        with counted() as seen:
            order = get_order(connection, asks, 1)
        assert len(seen) <= 6
        assert order.items[0].subscription is not None
        assert len(order.items[0].subscription.related) == 9, "those of the same store"
        assert order.history[0].parts[1].order_id == 2
        assert (len(order.documents), len(order.related)) == (1, 2)
        with counted() as seen:
            assert len(get_orders(connection, asks, list(range(1, 11)))) == 10
        assert len(seen) <= 6


def test_a_search_is_two_statements_and_one_when_everything_is_on_the_page(anna: int) -> None:
    asks, everything = factories.viewer(anna), parse_filter(SearchInput(), zone=UTC)
    with viewer_transaction(anna) as connection, counted() as seen:
        page = find_orders(connection, asks, everything, limit=10)
        assert count_orders(connection, asks, everything, page=page).number == 20
        assert len(seen) == 2
        page = find_orders(connection, asks, everything)
        assert count_orders(connection, asks, everything, page=page).number == 20
        assert len(seen) == 3
