"""The numbers that rival readings find: each as its own search counts it, in the viewer's scope."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from db.connections.engine import app_engine, viewer_transaction
from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from services.orders.filters import SearchInput, parse_filter
from services.orders.periods import Period
from services.orders.search import count_orders
from services.recognition.counting import MOST, count_rivals
from tests.support import factories
from tests.support.factories import document, item

UTC = ZoneInfo("UTC")
SEARCHES = [
    SearchInput(order_ids="4242"),
    SearchInput(card_last_4="4242"),
    SearchInput(last_name="köhler"),
    SearchInput(last_name="KÖHLER", first_name="Anna"),
    SearchInput(activation_code="4242"),
    SearchInput(card_last_4="4242", stores=("shop-b",)),
    SearchInput(email="nobody@example.com"),
    SearchInput(),
    SearchInput(statuses=frozenset({MainStatus.PAID}), delivery=frozenset({DeliveryStatus.DELIVERED})),
    SearchInput(refunds=frozenset(RefundStatus), subscription=SubscriptionFilter.WITH),
    SearchInput(created_from=date(2020, 1, 1), created_to=date(2030, 1, 1), paid_period=Period.TODAY),
    SearchInput(currency="EUR", total_from="0.5", total_to="1000", country="DE", payment_method="PayPal"),
    SearchInput(
        product="Antivirus", refund_reason="By mistake", vat_number="DE1", company="Acme", phone="+49 1"
    ),
]


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(
        document(order_id=4242, customer={"last_name": "Köhler"}),
        *(document(order_id=n, payment={"card_last_4": "4242"},
                   items=[item(activation_codes=[{"code": f"X-4242-{n}"}])])
          for n in range(10, 14)),
        document(order_id=20, customer={"last_name": "köhler", "first_name": "Anna"}),
        document(order_id=30, checkout_page="shop-b", payment={"card_last_4": "4242"}),
        document(order_id=31, checkout_page="shop-c", payment={"card_last_4": "4242"}),
    )  # fmt: skip
    return factories.account("anna", stores=["shop-a", "shop-b"])


def test_each_reading_is_counted_as_the_search_counts_it_and_in_one_statement(anna: int) -> None:
    viewer = factories.viewer(anna)
    searches = [parse_filter(typed, zone=UTC) for typed in SEARCHES]
    statements: list[str] = []
    with viewer_transaction(viewer.account_id) as connection:
        expected = [count_orders(connection, viewer, search) for search in searches]

        def note(_: object, __: object, statement: str, *___: object) -> None:
            statements.append(statement)

        event.listen(app_engine(), "before_cursor_execute", note)
        try:
            counts = count_rivals(connection, viewer, searches)
        finally:
            event.remove(app_engine(), "before_cursor_execute", note)
    assert list(counts) == expected
    assert [count.number for count in counts[:8]] == [1, 5, 2, 1, 4, 1, 0, 7]
    assert len(statements) == 1


def test_no_reading_is_counted_beyond_the_limit(anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.recognition.counting.MOST", 3)
    viewer = factories.viewer(anna)
    with viewer_transaction(viewer.account_id) as connection:
        [count] = count_rivals(connection, viewer, [parse_filter(SearchInput(card_last_4="4242"), zone=UTC)])
    assert (count.number, count.is_more) == (3, True)
    assert MOST == 1_000


def test_nothing_to_count_asks_nothing(anna: int) -> None:
    viewer = factories.viewer(anna)
    with viewer_transaction(viewer.account_id) as connection:
        assert count_rivals(connection, viewer, []) == ()
