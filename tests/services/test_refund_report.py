"""The report on refunds: by reason, operator and store, in the viewer's scope, as the filter says."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import find_orders
from services.refund_report import (
    NOBODY,
    NothingBehind,
    RefundGroup,
    RefundGrouping,
    export_refund_report,
    get_refund_report,
    group_filter,
)
from tests.support import factories
from tests.support.factories import document, run

UTC = ZoneInfo("UTC")
# Order, store, reason, operator, result, hours to close, amount, currency.
REQUESTS: list[tuple[Any, ...]] = [
    (1, "shop-a", "Duplicate order", "rita", "full", 1, "10.00", "EUR"),
    (2, "shop-a", "Duplicate order", "rita", "partial", 3, "4.00", "EUR"),
    (3, "shop-a", "Duplicate order", "otto", "full", 5, "980", "JPY"),
    (4, "shop-a", "=HYPERLINK(1)", "otto", "refused", 10, None, None),
    (5, "shop-a", "My own words, and long ones", None, None, None, None, None),
    (6, "shop-b", "Duplicate order", "otto", "failed", 2, None, None),
]


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    run("INSERT INTO refund_reason (reason, position) VALUES ('=HYPERLINK(1)', 99)")
    for order_id, store, reason, operator, result, hours, amount, currency in REQUESTS:
        factories.take_in(
            document(order_id=order_id, checkout_page=store, currency=currency or "EUR", total="980.00",
                     items=[factories.item(price="980.00", amount="980.00")],
                     create_date=f"2026-03-{order_id:02}T10:00:00+00:00"),
        )  # fmt: skip
        run(
            "WITH made AS (INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, "
            "requester_email, reason_id, status, result, requested_at, closed_at, closed_by_name, amount, currency) "
            "SELECT order_id, checkout_page_id, :reason, 'n', 'e', "
            "(SELECT id FROM refund_reason WHERE reason = :reason), :status, :result, now() - interval '1 day', "
            "now() - interval '1 day' + CAST(:hours AS float) * interval '1 hour', :operator, :amount, :currency "
            "FROM orders WHERE order_id = :id RETURNING id, order_id, checkout_page_id, amount) "
            "INSERT INTO refund_request_item (refund_request_id, order_id, position, checkout_page_id, amount) "
            "SELECT id, order_id, 1, checkout_page_id, amount FROM made WHERE amount IS NOT NULL",
            id=order_id, reason=reason, result=result, hours=hours, operator=operator,
            currency=None if amount is None else currency, amount=None if amount is None else Decimal(amount),
            status="requested" if result is None else "completed" if amount else "refused",
        )  # fmt: skip
    factories.take_in(document(order_id=9))
    return {
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator", stores=["shop-b"]),
    }


def report(
    people: dict[str, int], by: RefundGrouping, name: str = "carla", **typed: Any
) -> list[RefundGroup]:
    with viewer_transaction(people[name]) as connection:
        viewer = factories.viewer(people[name])
        return list(get_refund_report(connection, viewer, parse_filter(SearchInput(**typed), zone=UTC), by))


def test_reasons_operators_and_stores_are_counted_and_summed_by_currency(people: dict[str, int]) -> None:
    twice, *others = report(people, RefundGrouping.REASON)
    assert (twice.label, twice.requests, twice.full, twice.partial, twice.open) == (
        "Duplicate order",
        3,
        2,
        1,
        0,
    )
    assert twice.sums == (("EUR", Decimal("14.00")), ("JPY", Decimal("980")))
    assert twice.median_hours == pytest.approx(3) and twice.p90_hours == pytest.approx(4.6)
    assert {group.label for group in others} == {"=HYPERLINK(1)", "In own words"}
    by_operator = {group.name: group for group in report(people, RefundGrouping.OPERATOR)}
    assert {name: group.requests for name, group in by_operator.items()} == {"rita": 2, "otto": 2, NOBODY: 1}
    assert by_operator[NOBODY].open == 1 and by_operator[NOBODY].median_hours is None
    assert {group.label: group.requests for group in report(people, RefundGrouping.STORE, "admin")} == {
        "shop-a": 5, "shop-b": 1,
    }  # fmt: skip


def test_scope_and_filter_hold_and_a_row_opens_its_orders(people: dict[str, int]) -> None:
    assert {group.label for group in report(people, RefundGrouping.STORE)} == {"shop-a"}
    [first] = report(people, RefundGrouping.REASON, created_to=date(2026, 3, 1))
    assert first.requests == 1
    with viewer_transaction(people["carla"]) as connection:
        viewer, everything = factories.viewer(people["carla"]), parse_filter(SearchInput(), zone=UTC)
        for by, label, expected in (
            (RefundGrouping.REASON, "Duplicate order", [3, 2, 1]),
            (RefundGrouping.OPERATOR, None, [5]),
        ):
            behind = group_filter(connection, viewer, everything, by, label)
            assert [row.order_id for row in find_orders(connection, viewer, behind).rows] == expected
        with pytest.raises(NothingBehind):  # of a store that is not the viewer's
            group_filter(connection, viewer, everything, RefundGrouping.STORE, "shop-b")


def test_the_table_is_a_csv_that_runs_nothing(people: dict[str, int]) -> None:
    with viewer_transaction(people["carla"]) as connection:
        viewer, everything = factories.viewer(people["carla"]), parse_filter(SearchInput(), zone=UTC)
        content = export_refund_report(
            connection, viewer, everything, RefundGrouping.REASON, address="192.0.2.1"
        )
    assert content.startswith("\ufeff")
    head, *rows = csv.reader(io.StringIO(content[1:]))
    assert head[0] == "Reason" and head[-2:] == ["Refunded, EUR", "Refunded, JPY"]
    by_reason = {row[0]: row[1:] for row in rows}
    assert by_reason["Duplicate order"] == ["3", "0", "2", "1", "0", "0", "3.00", "4.60", "14.00", "980"]
    assert "'=HYPERLINK(1)" in by_reason
    [[details]] = run("SELECT details FROM audit_log WHERE action = 'export' ORDER BY id DESC LIMIT 1")
    assert details == {"report": "refunds", "by": "Reason", "rows": 3}
