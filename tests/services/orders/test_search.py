"""What the search finds, against answers worked out in Python from the same documents."""

import random
import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from db.schema.statuses import RefundStatus
from services.orders import search
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import count_orders, find_orders, missing_ids
from tests.services.orders.oracle import BERLIN, FIELDS, expected, reason
from tests.services.orders.oracle_orders import make
from tests.support import factories
from tests.support.factories import Document


@pytest.fixture(scope="module")
def orders(database: str) -> dict[int, Document]:
    rng = random.Random(20261123)
    made = {n: make(n, rng) for n in range(1001, 1401)}
    factories.take_in(*made.values())
    return made


@pytest.fixture(scope="module")
def refunds(orders: dict[int, Document]) -> dict[int, str]:
    """The status of the newest refund request of some orders."""
    rng, results = random.Random(7), {}
    for number in rng.sample(sorted(orders), 60):
        status = rng.choice(list(RefundStatus))
        is_closed = status in (RefundStatus.COMPLETED, RefundStatus.REFUSED)
        result = {RefundStatus.COMPLETED: "full", RefundStatus.REFUSED: "refused"}.get(status)
        factories.run(
            "INSERT INTO refund_request (order_id, checkout_page_id, status, result, reason, reason_id, "
            "requester_name, requester_email, taken_at, closed_at) "
            "SELECT order_id, checkout_page_id, :status, :result, :reason, "
            "(SELECT l.id FROM refund_reason l WHERE :reason LIKE l.reason || '%'), 'n', 'e', "
            "CASE WHEN :taken THEN now() END, CASE WHEN :closed THEN now() END FROM orders WHERE order_id = :id",
            id=number, status=status, result=result, taken=status is not RefundStatus.REQUESTED, closed=is_closed,
            reason=reason(number),
        )  # fmt: skip
        results[number] = str(status)
    return results


@pytest.fixture(scope="module")
def anna(orders: dict[int, Document]) -> int:
    return factories.account("anna", stores=["shop-a", "shop-b"])


def found_ids(account_id: int, typed: SearchInput, zone: ZoneInfo = BERLIN) -> list[int]:
    """All that is found, page by page; checks on the way that the count agrees."""
    order_filter = parse_filter(typed, zone=zone)
    viewer = factories.viewer(account_id)
    with viewer_transaction(account_id) as connection:
        first = page = find_orders(connection, viewer, order_filter, limit=37)
        ids = [row.order_id for row in page.rows]
        while page.next is not None:
            page = find_orders(connection, viewer, order_filter, after=page.next, limit=37)
            ids += [row.order_id for row in page.rows]
        assert count_orders(connection, viewer, order_filter).number == len(ids)
        assert count_orders(connection, viewer, order_filter, page=first).number == len(ids)
    return ids


def test_an_empty_form_lists_exactly_the_viewers_orders_newest_first(
    orders: dict[int, Document], refunds: dict[int, str], anna: int
) -> None:
    assert found_ids(anna, SearchInput()) == expected(orders, refunds)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_alone_finds_what_its_rule_says(
    name: str, orders: dict[int, Document], refunds: dict[int, str], anna: int
) -> None:
    typed, rule = FIELDS[name]
    wanted = expected(orders, refunds, rule)
    assert found_ids(anna, SearchInput(**typed)) == wanted
    assert 0 < len(wanted) < len(orders), (
        "this case would pass without any filter, or with one that finds nothing"
    )


def pairs() -> Iterator[tuple[str, str]]:
    for first, other in combinations(FIELDS, 2):
        groups = [
            {name.split("_from")[0].split("_to")[0] for name in FIELDS[case][0]} for case in (first, other)
        ]
        if not groups[0] & groups[1]:
            yield first, other


def test_all_pairs_of_fields_are_combined_with_and(
    orders: dict[int, Document], refunds: dict[int, str], anna: int
) -> None:
    wrong, filled = [], 0
    for first, other in pairs():
        (typed, rule), (more, second) = FIELDS[first], FIELDS[other]
        wanted = expected(orders, refunds, rule, second)
        filled += bool(wanted)
        if found_ids(anna, SearchInput(**typed, **more)) != wanted:
            wrong.append((first, other))
    assert wrong == []
    assert filled > 200


@pytest.mark.parametrize("other", ["store", "created one day", "email", "ids", "not delivered"])
@pytest.mark.parametrize("code", ["code", "code wildcards", "code backslash"])
def test_what_very_many_codes_contain_is_found_just_so(
    code: str,
    other: str,
    orders: dict[int, Document],
    refunds: dict[int, str],
    anna: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (typed, rule), (more, second) = FIELDS[code], FIELDS[other]
    monkeypatch.setattr(search, "_MOST_CODES", 3)
    assert found_ids(anna, SearchInput(**typed)) == expected(orders, refunds, rule)
    assert found_ids(anna, SearchInput(**typed, **more)) == expected(orders, refunds, rule, second)


def test_paging_back_gives_the_same_pages(orders: dict[int, Document], anna: int) -> None:
    viewer = factories.viewer(anna)
    order_filter = parse_filter(SearchInput(), zone=BERLIN)
    with viewer_transaction(anna) as connection:
        first = find_orders(connection, viewer, order_filter, limit=10)
        second = find_orders(connection, viewer, order_filter, after=first.next, limit=10)
        third = find_orders(connection, viewer, order_filter, after=second.next, limit=10)
        back = find_orders(connection, viewer, order_filter, before=third.previous, limit=10)
        start = find_orders(connection, viewer, order_filter, before=back.previous, limit=10)
    assert back.rows == second.rows
    assert (start.rows, start.previous) == (first.rows, None)


def test_ten_thousand_ids_are_one_search_and_the_missing_ones_are_named(
    orders: dict[int, Document], anna: int
) -> None:
    ids = "\n".join(f"A{n:010}" for n in range(1, 10_001))
    mine = {n for n, o in orders.items() if o["checkout_page"] in ("shop-a", "shop-b")}
    assert set(found_ids(anna, SearchInput(order_ids=ids))) == mine
    order_filter = parse_filter(SearchInput(order_ids="1, " + str(min(mine))), zone=BERLIN)
    with viewer_transaction(anna) as connection:
        assert missing_ids(connection, factories.viewer(anna), order_filter) == (1, ("1",))


HOSTILE = (
    "'; DROP TABLE orders; --", "<img src=x onerror=alert(1)>", "![x](http://evil.example/x.png)", "=HYPERLINK(1)",
    "%", "_", "\\", "\u202eabc", "a\0b", "\ud800", "👨‍👩‍👧‍👦", "1" * 40, "x" * 100_000, "\t \u3000", "ｱ" * 499,
)  # fmt: skip


@pytest.mark.parametrize("name", [
    "order_ids", "phone", "first_name", "last_name", "email", "company", "vat_number", "card_last_4", "activation_code",
    "payment_method", "product", "total_from", "total_to", "currency", "country", "refund_reason",
])  # fmt: skip
def test_hostile_text_in_any_field_finds_nothing_or_is_refused_in_words(
    name: str, orders: dict[int, Document], anna: int
) -> None:
    from services.orders.filters import InvalidSearch

    for value in HOSTILE:
        fields: dict[str, Any] = {name: value}
        typed = SearchInput(**fields)
        try:
            ids = found_ids(anna, typed)
        except InvalidSearch as error:
            assert re.search(r"\w+ \w+.*[.]$", error.errors[name], re.S)
        else:
            is_blank = not value.strip()
            assert ids == [] or is_blank


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata"])
def test_a_day_of_the_viewer_holds_the_orders_of_that_day_there(
    zone: str, orders: dict[int, Document], anna: int
) -> None:
    there = ZoneInfo(zone)
    for day in (date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29)):
        wanted = {
            n
            for n, o in orders.items()
            if o["checkout_page"] != "shop-c"
            and datetime.fromisoformat(o["create_date"]).astimezone(there).date() == day
        }
        assert set(found_ids(anna, SearchInput(created_from=day), there)) == wanted
