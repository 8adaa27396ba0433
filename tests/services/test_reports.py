"""Reports: their figures against those counted by hand."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from db.schema.statuses import MainStatus
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.search import find_orders
from services.refunds.processing import fail_request, fulfil_request, refuse_request, take_request
from services.refunds.requests import request_refund
from services.reports import (
    RefundFigures,
    Report,
    SubscriptionFigures,
    Total,
    common_words,
    day_filter,
    get_report,
    store_filter,
    with_period,
)
from tests.support import factories
from tests.support.factories import document, item, run

BERLIN = ZoneInfo("Europe/Berlin")
ALL = SearchInput(created_from=date(2026, 1, 1), created_to=date(2026, 12, 31))


@pytest.fixture(scope="module")
def people(database: str) -> Iterator[Mapping[str, int]]:
    def order(order_id: int, at: str, **fields: object) -> dict[str, object]:
        return document(**{"order_id": order_id, "create_date": at, "pay_date": at} | fields)

    unpaid = {"status": "not paid", "pay_date": None}
    subscription = {"id": "S1", "type": "AR", "status": "active"}
    factories.take_in(
        # 23:30 UTC is the next day in Berlin.
        order(1, "2026-03-01T23:30:00+00:00", items=[item(amount="10.10")]),
        order(2, "2026-03-02T10:00:00+00:00", items=[item(amount="0.20", subscription=subscription)]),
        order(3, "2026-03-02T11:00:00+00:00", currency="JPY", items=[item(price="500", amount="500")]),
        order(4, "2026-03-04T11:00:00+00:00", **unpaid),
        order(5, "2026-03-04T12:00:00+00:00", checkout_page="shop-b", items=[item(amount="7.00")]),
    )
    accounts = {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", all_stores=True),
        "nobody": factories.account("nobody"),
    }
    factories.act(accounts["anna"], request_refund, 1, reason="Bought twice, bought by mistake")
    factories.act(accounts["anna"], request_refund, 2, reason="TWICE!")
    [[request]] = run("SELECT id FROM refund_request WHERE order_id = 1")
    factories.act(accounts["rita"], take_request, request)
    factories.act(accounts["rita"], refuse_request, request, note="no")
    run("UPDATE refund_request SET requested_at = closed_at - interval '3 hours' WHERE order_id = 1")
    factories.act(accounts["anna"], cancel_subscription, 2, position=1)
    yield accounts


def report(account_id: int, typed: SearchInput = ALL, zone: ZoneInfo = BERLIN) -> Report:
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        return get_report(connection, viewer, parse_filter(typed, zone=zone))


def test_days_are_those_of_the_zone_and_currencies_are_never_added(people: Mapping[str, int]) -> None:
    figures = report(people["anna"])
    assert [(row.day.day, row.currency, row.orders, row.paid, row.revenue) for row in figures.days] == [
        (2, "EUR", 2, 2, Decimal("10.30")),
        (2, "JPY", 1, 1, Decimal(500)),
        (4, "EUR", 1, 0, Decimal(0)),
    ]
    assert figures.currencies == (Total("EUR", 3, 2, Decimal("10.30")), Total("JPY", 1, 1, Decimal(500)))
    assert (figures.orders, figures.paid) == (4, 3)
    assert [row.day.day for row in report(people["anna"], zone=ZoneInfo("UTC")).days] == [1, 2, 2, 4]


def test_stores_are_those_in_scope(people: Mapping[str, int]) -> None:
    assert {row.store for row in report(people["anna"]).stores} == {"shop-a"}
    everything = report(people["rita"])
    assert [(row.store, row.currency, row.orders) for row in everything.stores] == [
        ("shop-a", "EUR", 3),
        ("shop-a", "JPY", 1),
        ("shop-b", "EUR", 1),
    ]
    nothing = report(people["nobody"])
    assert (nothing.orders, nothing.days, nothing.refunds.requests, nothing.resends) == (0, (), 0, 0)


def test_refunds_and_subscriptions(people: Mapping[str, int]) -> None:
    figures = report(people["anna"])
    refunds = figures.refunds
    assert (refunds.requests, refunds.orders, refunds.open, refunds.refused) == (2, 2, 1, 1)
    assert (refunds.full, refunds.partial, refunds.failed) == (0, 0, 0)
    assert refunds.median_hours == pytest.approx(3)
    assert figures.refund_words[0] == ("twice", 2)
    assert dict(figures.refund_words)["bought"] == 1, "a reason counts a word once"
    assert (figures.subscriptions.active, figures.subscriptions.cancelled) == (0, 1)
    assert (figures.subscriptions.cancellations, figures.subscriptions.resumptions) == (1, 0)


def take_in_earlier_orders() -> None:
    """Orders of three stores in 2025."""

    def order(order_id: int, store: str, **fields: object) -> dict[str, object]:
        return document(
            order_id=order_id, checkout_page=store, create_date="2025-05-05T10:00:00+00:00", **fields
        )

    def subscribed(identity: str, kind: str, status: str, **fields: object) -> list[dict[str, object]]:
        return [item(subscription={"id": identity, "type": kind, "status": status} | fields)]

    factories.take_in(
        order(11, "shop-a", items=subscribed("S9", "AR", "active")),
        order(12, "shop-a", items=subscribed("S9", "AR", "active", parent_order_id=11)),
        order(13, "shop-a", items=subscribed("S10", "PMR", "cancelled")),
        # S9 of another store is another subscription.
        order(21, "shop-b", items=subscribed("S9", "AR", "not paid")),
        order(22, "shop-b", currency="JPY", items=[item(price="500", amount="500")]),
        # The portal counts no subscription of this type.
        order(31, "shop-c", items=subscribed("S11", "other", "active")),
    )


def work_refunds(operator: int) -> None:
    """Four requests, closed after 1, 5 and 10 hours: refused, failed and fulfilled; one is still open."""
    hours = {11: 1, 12: 5, 13: None, 22: 10}
    for order_id in hours:
        factories.act(operator, request_refund, order_id, reason=f"reason {order_id}")
    requests = {row.order_id: row.id for row in run("SELECT * FROM refund_request WHERE order_id > 10")}
    for order_id in (11, 12, 22):
        factories.act(operator, take_request, requests[order_id])
    factories.act(operator, refuse_request, requests[11], note="n")
    factories.act(operator, fail_request, requests[12], note="n")
    factories.act(
        operator,
        fulfil_request,
        requests[22],
        note="n",
        positions=[1],
        expected_amount=Decimal(500),
        delete_codes=False,
        stop_renewal=False,
    )
    for order_id, duration in hours.items():
        if duration is not None:
            run(
                "UPDATE refund_request SET requested_at = closed_at - make_interval(hours => :hours) "
                "WHERE order_id = :id",
                hours=duration,
                id=order_id,
            )


@pytest.fixture(scope="module")
def earlier(people: Mapping[str, int]) -> dict[str, int]:
    """Three stores in 2025; the accounts of `people`, and one that works refunds in two of the stores."""
    take_in_earlier_orders()
    rita = people["rita"]
    ben = factories.account("ben", role="refund_operator", stores=["shop-a", "shop-c"])
    work_refunds(rita)
    factories.act(rita, cancel_subscription, 11, position=1)
    factories.act(rita, resume_subscription, 12, position=1)
    for order_id, number in ((11, 2), (22, 1)):
        run(
            "INSERT INTO order_history (order_id, checkout_page_id, kind, text, source) "
            "SELECT order_id, checkout_page_id, 'email', 'sent', 'portal' FROM orders, generate_series(1, :number) "
            "WHERE order_id = :id",
            id=order_id,
            number=number,
        )
    return {**people, "ben": ben}


BEFORE = SearchInput(created_from=date(2025, 1, 1), created_to=date(2025, 12, 31))


def test_what_came_after_the_sale_by_store(earlier: dict[str, int]) -> None:
    figures = report(earlier["rita"], BEFORE)
    a, b, c = figures.after_sale
    assert [(row.store, row.orders, row.resends) for row in figures.after_sale] == [
        ("shop-a", 3, 2),
        ("shop-b", 2, 1),
        ("shop-c", 1, 0),
    ]
    assert a.refunds == RefundFigures(
        requests=3, orders=3, open=1, full=0, partial=0, refused=1, failed=1, median_hours=3.0
    )
    assert b.refunds == RefundFigures(requests=1, orders=1, full=1, median_hours=10.0)
    assert c.refunds == RefundFigures(), "nobody asked"
    assert a.subscriptions == SubscriptionFigures(1, 0, 1, cancellations=1, resumptions=1)
    assert b.subscriptions == SubscriptionFigures(0, 1, 0, cancellations=0, resumptions=0)
    assert c.subscriptions.number == 0


def test_all_stores_together(earlier: dict[str, int]) -> None:
    figures = report(earlier["rita"], BEFORE)
    # The median of 1, 5 and 10 hours, which is not that of the stores' own medians.
    assert figures.refunds == RefundFigures(
        requests=4, orders=4, open=1, full=1, partial=0, refused=1, failed=1, median_hours=5.0
    )
    assert figures.resends == 3
    assert figures.subscriptions == SubscriptionFigures(1, 1, 1, cancellations=1, resumptions=1)


def test_other_stores_are_in_no_figure(earlier: dict[str, int]) -> None:
    figures = report(earlier["ben"], BEFORE)
    assert [row.store for row in figures.after_sale] == ["shop-a", "shop-c"]
    assert (figures.refunds.requests, figures.refunds.median_hours, figures.resends) == (3, 3.0, 2)
    assert figures.subscriptions.number == 2
    alone = report(earlier["rita"], SearchInput(order_ids="31"))
    assert [row.store for row in alone.after_sale] == ["shop-c"]
    assert alone.refunds == RefundFigures() and alone.refund_words == ()
    nothing = report(earlier["nobody"], BEFORE)
    assert (nothing.after_sale, nothing.refunds, nothing.subscriptions.number) == ((), RefundFigures(), 0)


def test_every_filter_of_the_search_counts(people: Mapping[str, int]) -> None:
    assert report(people["anna"], SearchInput(order_ids="1")).orders == 1
    assert report(people["anna"], SearchInput(statuses=frozenset({MainStatus.NOT_PAID}))).paid == 0
    assert report(people["anna"], SearchInput(order_ids="5")).orders == 0, "another store's"


def test_the_orders_behind_a_bar_and_a_store(people: Mapping[str, int]) -> None:
    viewer = factories.viewer(people["rita"])
    whole = parse_filter(ALL, zone=BERLIN)

    def find(order_filter: OrderFilter) -> set[int]:
        with viewer_transaction(viewer.account_id) as connection:
            return {row.order_id for row in find_orders(connection, viewer, order_filter).rows}

    assert find(day_filter(whole, date(2026, 3, 2))) == {1, 2, 3}
    assert find(store_filter(whole, "shop-b")) == {5}


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
