"""Searches under row-level security: each uses an index and takes few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, text

from db.connections.engine import app_engine, jobs_transaction, viewer_transaction
from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from db.statements import search
from services.orders.detail import get_order, get_orders
from services.orders.filters import OrderFilter, SearchInput, parse_filter, searched_values
from services.orders.search import STORED_FIELDS, count_orders, find_orders, stores_in_scope
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
}
# Rare states have an index of their own, so that a search for one does not read every order.
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
def recorded_statements() -> Iterator[list[str]]:
    """The statements that the app's role sends during the block."""
    statements: list[str] = []

    def sent(_: object, __: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    engine = app_engine()
    event.listen(engine, "before_cursor_execute", sent)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", sent)


def plan(connection: Connection, statement: object) -> str:
    compiled = statement.compile(  # type: ignore[attr-defined]
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    cursor.execute(f"EXPLAIN (COSTS off) {compiled}", compiled.params)
    return "\n".join(row[0] for row in cursor.fetchall())


def sent_values(order_filter: OrderFilter) -> dict[str, Any]:
    """The values that the search sends. The orders of a code have been looked up, unless very many have it.

    Any: values of the columns searched.
    """
    values = searched_values(order_filter)
    fragment = values.pop("code_fragment", None)
    if fragment == COMMON:
        return values | {"common_fragment": fragment}
    return values if fragment is None else values | {"code_orders": [1, 2, 3]}


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_scans_a_table(anna: int, name: str) -> None:
    viewer, order_filter = factories.viewer(anna), parse_filter(SEARCHES[name], zone=UTC)
    store_ids = stores_in_scope(viewer, order_filter)
    with viewer_transaction(anna) as connection:
        # Over twenty orders a scan is cheapest. When scans are discouraged, one remains only where no index serves.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        values = sent_values(order_filter)
        for statement, parameters in (
            search.page_statement(
                values, store_ids, limit=51, cursor=None, newer=False, fields=STORED_FIELDS
            ),
            search.count_statement(values, store_ids, most=10_001),
        ):
            explained = plan(connection, statement.params(parameters))
            assert "Seq Scan" not in explained, explained
            assert "Index" in explained


@pytest.mark.parametrize("index", RARE)
def test_a_rare_state_is_found_by_an_index_of_its_own(anna: int, index: str) -> None:
    viewer, order_filter = factories.viewer(anna), parse_filter(RARE[index], zone=UTC)
    with viewer_transaction(anna) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement, parameters = search.page_statement(
            searched_values(order_filter),
            stores_in_scope(viewer, order_filter),
            limit=51,
            cursor=None,
            newer=False,
            fields=STORED_FIELDS,
        )
        assert f"using {index}" in plan(connection, statement.params(parameters))


def test_the_control_a_condition_without_an_index_is_noticed(anna: int) -> None:
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


def test_opening_one_order_or_ten_takes_at_most_six_statements(anna: int) -> None:
    viewer = factories.viewer(anna)
    with viewer_transaction(anna) as connection:
        with recorded_statements() as statements:
            order = get_order(connection, viewer, 1)
        assert len(statements) <= 6
        assert order.items[0].subscription is not None
        assert len(order.items[0].subscription.related) == 9, "those of the same store"
        assert order.history[0].parts[1].order_id == 2
        assert (len(order.documents), len(order.related)) == (1, 2)
        with recorded_statements() as statements:
            assert len(get_orders(connection, viewer, list(range(1, 11)))) == 10
        assert len(statements) <= 6


def test_a_search_is_two_statements_and_one_when_everything_is_on_the_page(anna: int) -> None:
    viewer, everything = factories.viewer(anna), parse_filter(SearchInput(), zone=UTC)
    with viewer_transaction(anna) as connection, recorded_statements() as statements:
        page = find_orders(connection, viewer, everything, limit=10)
        assert count_orders(connection, viewer, everything, page=page).number == 20
        assert len(statements) == 2
        page = find_orders(connection, viewer, everything)
        assert count_orders(connection, viewer, everything, page=page).number == 20
        assert len(statements) == 3
