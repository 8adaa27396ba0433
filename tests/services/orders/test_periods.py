"""Periods by their names: their days, and what becomes of them in links and in searches that stay relative."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.periods import Period, period_days

UTC = ZoneInfo("UTC")
WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(("period", "first", "last"), [
    (Period.TODAY, WEDNESDAY, WEDNESDAY), (Period.YESTERDAY, date(2026, 11, 24), date(2026, 11, 24)),
    (Period.LAST_7_DAYS, date(2026, 11, 19), WEDNESDAY), (Period.LAST_30_DAYS, date(2026, 10, 27), WEDNESDAY),
    (Period.THIS_WEEK, date(2026, 11, 23), WEDNESDAY), (Period.LAST_WEEK, date(2026, 11, 16), date(2026, 11, 22)),
    (Period.THIS_MONTH, date(2026, 11, 1), WEDNESDAY), (Period.LAST_MONTH, date(2026, 10, 1), date(2026, 10, 31)),
    (Period.THIS_QUARTER, date(2026, 10, 1), WEDNESDAY), (Period.LAST_QUARTER, date(2026, 7, 1), date(2026, 9, 30)),
    (Period.THIS_YEAR, date(2026, 1, 1), WEDNESDAY), (Period.LAST_YEAR, date(2025, 1, 1), date(2025, 12, 31)),
])  # fmt: skip
def test_a_period_has_these_days(period: Period, first: date, last: date) -> None:
    assert period_days(period, WEDNESDAY) == (first, last)


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)))
def test_no_period_ends_in_the_future_and_last_ends_where_this_begins(today: date) -> None:
    for period in Period:
        first, last = period_days(period, today)
        assert first <= last <= today
    for unit in ("week", "month", "quarter", "year"):
        before, present = (period_days(Period(f"{which} {unit}"), today) for which in ("last", "this"))
        assert before[1] + timedelta(days=1) == present[0]


def test_a_period_fills_in_its_days_and_gives_way_to_others() -> None:
    made = parse_filter(SearchInput(created_period=Period.YESTERDAY), zone=UTC, today=WEDNESDAY)
    yesterday = date(2026, 11, 24)
    assert (made.typed.created_from, made.typed.created_to) == (yesterday, yesterday)
    for days in ({"created_from": yesterday}, {"created_from": yesterday, "created_to": yesterday}):
        typed = SearchInput(created_period=Period.YESTERDAY, **days)  # type: ignore[arg-type]
        assert parse_filter(typed, zone=UTC, today=WEDNESDAY).values == made.values
        assert parse_filter(typed, zone=UTC, today=WEDNESDAY).typed.created_period is Period.YESTERDAY
        next_day = parse_filter(typed, zone=UTC, today=date(2026, 11, 26))
        assert (next_day.values, next_day.typed.created_period) == (made.values, None)


def test_a_link_keeps_its_days_and_a_relative_search_counts_them_anew() -> None:
    made = parse_filter(
        SearchInput(created_period=Period.LAST_WEEK, paid_to=WEDNESDAY), zone=UTC, today=WEDNESDAY
    )
    assert OrderFilter.from_json(made.to_json()).values == made.values
    relative = made.to_json(relative=True)
    assert relative["fields"] == {"created_period": "last week", "paid_to": "2026-11-25"}
    again = OrderFilter.from_json(relative)
    assert again.typed.created_period is Period.LAST_WEEK and again.typed.created_from is not None


def test_the_day_is_that_of_the_zone() -> None:
    days = {
        parse_filter(SearchInput(created_period=Period.TODAY), zone=ZoneInfo(zone)).typed.created_from
        for zone in ("Pacific/Kiritimati", "Pacific/Niue")
    }
    assert len(days) == 2
