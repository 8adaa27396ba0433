"""Reports: figures of the orders found, counted by hand beside them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from db.engine import viewer_transaction
from services.order_filter import OrderFilter, SearchInput, parse_filter
from services.order_search import find_orders
from services.refund_queue import refuse_request, take_request
from services.refunds import request_refund
from services.reports import Report, Total, common_words, day_filter, get_report, store_filter, with_period
from services.statuses import MainStatus
from services.subscriptions import cancel_subscription
from tests import factories
from tests.factories import document, item, run

BERLIN = ZoneInfo("Europe/Berlin")
ALL = SearchInput(created_from=date(2026, 1, 1), created_to=date(2026, 12, 31))


@pytest.fixture(scope="module")
def people(database: str) -> Iterator[dict[str, int]]:
    def order(order_id: int, at: str, **given: object) -> dict[str, object]:
        return document(**{"order_id": order_id, "create_date": at, "pay_date": at} | given)

    unpaid = {"status": "not paid", "pay_date": None}
    carried = {"id": "S1", "type": "AR", "status": "active"}
    factories.take_in(
        # 23:30 UTC is the next day in Berlin.
        order(1, "2026-03-01T23:30:00+00:00", items=[item(amount="10.10")]),
        order(2, "2026-03-02T10:00:00+00:00", items=[item(amount="0.20", subscription=carried)]),
        order(3, "2026-03-02T11:00:00+00:00", currency="JPY", items=[item(price="500", amount="500")]),
        order(4, "2026-03-04T11:00:00+00:00", **unpaid),
        order(5, "2026-03-04T12:00:00+00:00", checkout_page="shop-b", items=[item(amount="7.00")]),
    )
    made = {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", all_stores=True),
        "nobody": factories.account("nobody"),
    }
    factories.act(made["anna"], request_refund, 1, reason="Bought twice, bought by mistake")
    factories.act(made["anna"], request_refund, 2, reason="TWICE!")
    [[request]] = run("SELECT id FROM refund_request WHERE order_id = 1")
    factories.act(made["rita"], take_request, request)
    factories.act(made["rita"], refuse_request, request, note="no")
    run("UPDATE refund_request SET requested_at = closed_at - interval '3 hours' WHERE order_id = 1")
    factories.act(made["anna"], cancel_subscription, 2, position=1)
    yield made


def report(account_id: int, typed: SearchInput = ALL, zone: ZoneInfo = BERLIN) -> Report:
    asks = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return get_report(connection, asks, parse_filter(typed, zone=zone))


def test_days_are_those_of_the_zone_and_currencies_are_never_added(people: dict[str, int]) -> None:
    found = report(people["anna"])
    assert [(one.day.day, one.currency, one.orders, one.paid, one.revenue) for one in found.days] == [
        (2, "EUR", 2, 2, Decimal("10.30")),
        (2, "JPY", 1, 1, Decimal(500)),
        (4, "EUR", 1, 0, Decimal(0)),
    ]
    assert found.currencies == (Total("EUR", 3, 2, Decimal("10.30")), Total("JPY", 1, 1, Decimal(500)))
    assert (found.orders, found.paid) == (4, 3)
    assert [one.day.day for one in report(people["anna"], zone=ZoneInfo("UTC")).days] == [1, 2, 2, 4]


def test_stores_are_those_in_scope(people: dict[str, int]) -> None:
    assert {one.store for one in report(people["anna"]).stores} == {"shop-a"}
    everything = report(people["rita"])
    assert [(one.store, one.currency, one.orders) for one in everything.stores] == [
        ("shop-a", "EUR", 3),
        ("shop-a", "JPY", 1),
        ("shop-b", "EUR", 1),
    ]
    nothing = report(people["nobody"])
    assert (nothing.orders, nothing.days, nothing.refunds.requests, nothing.resends) == (0, (), 0, 0)


def test_refunds_and_subscriptions(people: dict[str, int]) -> None:
    found = report(people["anna"])
    refunds = found.refunds
    assert (refunds.requests, refunds.orders, refunds.open, refunds.refused) == (2, 2, 1, 1)
    assert (refunds.full, refunds.partial, refunds.failed) == (0, 0, 0)
    assert refunds.median_hours == pytest.approx(3)
    assert refunds.words[0] == ("twice", 2)
    assert dict(refunds.words)["bought"] == 1, "a reason counts a word once"
    assert (found.subscriptions.active, found.subscriptions.cancelled) == (0, 1)
    assert (found.subscriptions.cancellations, found.subscriptions.resumptions) == (1, 0)


def test_every_filter_of_the_search_counts(people: dict[str, int]) -> None:
    assert report(people["anna"], SearchInput(order_ids="1")).orders == 1
    assert report(people["anna"], SearchInput(statuses=frozenset({MainStatus.NOT_PAID}))).paid == 0
    assert report(people["anna"], SearchInput(order_ids="5")).orders == 0, "another store's"


def test_what_stands_behind_a_bar_and_a_store(people: dict[str, int]) -> None:
    asks = factories.viewer(people["rita"])
    whole = parse_filter(ALL, zone=BERLIN)

    def found(order_filter: OrderFilter) -> set[int]:
        with viewer_transaction(asks.account_id) as connection:
            return {row.order_id for row in find_orders(connection, asks, order_filter).rows}

    assert found(day_filter(whole, date(2026, 3, 2))) == {1, 2, 3}
    assert found(store_filter(whole, "shop-b")) == {5}


def test_a_report_without_days_is_of_the_last_thirty() -> None:
    now = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    typed = with_period(SearchInput(email="a@b.c"), zone=BERLIN, now=now)
    assert (typed.created_from, typed.created_to, typed.email) == (
        date(2026, 2, 1),
        date(2026, 3, 2),
        "a@b.c",
    )
    assert with_period(ALL, zone=BERLIN, now=now) == ALL


def test_words_of_every_script() -> None:
    assert common_words(["Zu teuer, ZU TEUER", "teuer", "дорого", "不要", "<b>x</b> 1234567"]) == (
        ("teuer", 2),
        ("дорого", 1),
    )
