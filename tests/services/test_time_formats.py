"""Days and times as pages and mails write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.time_zones import format_clock, format_day, format_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 11, 12), "12 Nov 2026"),
        (date(2026, 1, 2), "2 Jan 2026"),
        (date(9999, 12, 31), "31 Dec 9999"),
    ],
)
def test_a_day(day: date, text: str) -> None:
    assert format_day(day) == text


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (datetime(2026, 11, 12, 13, 5, tzinfo=UTC), BERLIN, "12 Nov 2026, 14:05"),
        (datetime(2026, 7, 12, 13, 5, tzinfo=UTC), BERLIN, "12 Jul 2026, 15:05"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), BERLIN, "1 Jan 2027, 00:30"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=BERLIN), UTC, "31 Dec 2025, 23:30"),
    ],
)
def test_a_time_is_that_of_the_zone_and_so_is_its_day(at: datetime, zone: ZoneInfo, text: str) -> None:
    assert format_time(at, zone) == text
    assert format_clock(at, zone) == text.rpartition(", ")[2]
