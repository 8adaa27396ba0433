"""Days as they are typed, and as moments at the ends of what orders can have."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.text.fields import FieldError
from services.time_zones import day_text, days_to_interval, parse_day


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("25/11/2026", date(2026, 11, 25)),
        (" 1.2.2013 ", date(2013, 2, 1)),
        ("01-02-2013", date(2013, 2, 1)),
        ("2026-11-25", date(2026, 11, 25)),
        ("2026/11/01", date(2026, 11, 1)),
        ("25 11 2026", date(2026, 11, 25)),
        ("25112026", date(2026, 11, 25)),
        ("20011220", date(2001, 12, 20)),
        ("20122001", date(2001, 12, 20)),
        ("٢٥/١١/٢٠٢٦", date(2026, 11, 25)),
        ("01/01/1970", date(1970, 1, 1)),
        ("31/12/2200", date(2200, 12, 31)),
        ("", None),
        ("  ", None),
    ],
)
def test_a_day_is_read_as_it_is_written(typed: str, day: date | None) -> None:
    assert parse_day(typed) == day
    assert parse_day(day_text(day)) == day


@pytest.mark.parametrize(
    "typed",
    ["31.02.2026", "29/02/2027", "00/01/2026", "11/25/2026", "1/2/26", "11/2026", "2026", "x", "1/2/2013 x",
     "31/12/1968", "02/01/2201", "99999999", "2026-11-25T10:00", "1//2/2013/"],
)  # fmt: skip
def test_what_is_no_day_of_an_order_is_refused(typed: str) -> None:
    with pytest.raises(FieldError):
        parse_day(typed)


def test_the_first_and_the_last_day_that_orders_have_are_whole_days() -> None:
    start, end = days_to_interval(date(1970, 1, 1), date(2200, 12, 31), ZoneInfo("UTC"))
    assert (start, end) == (datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC))
