"""Time zones that people may choose, their calendar days as UTC instants, and the text of days and times."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from services.text.fields import FieldError, parse_text

# Orders are of the years 1970 to 2200 in UTC: somewhere on earth it is the day before the first, or after the last.
FIRST, LAST = date(1969, 12, 31), date(2201, 1, 1)
_LONGEST_SHOWN = 40
_YEAR_FIRST = re.compile(r"(\d{4})[-/.\s]+(\d{1,2})[-/.\s]+(\d{1,2})\.?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.\s]+(\d{1,2})[-/.\s]+(\d{4})\.?")
_DIGITS = re.compile(r"\d{8}")


def parse_day(text: str) -> date | None:
    """Parse a typed day: 25/11/2026, with dots or dashes as well, or 2026-11-25; None when nothing was typed.

    Raises `FieldError` for text that is not a day, and for a day that no order can have.
    """
    typed, _ = parse_text(text)
    if not typed:
        return None
    days = _days(typed)
    if not days:
        shown = typed if len(typed) <= _LONGEST_SHOWN else typed[: _LONGEST_SHOWN - 1] + "…"
        raise FieldError(f"“{shown}” is not a day. Please write one such as 25/11/2026.")
    day = next((day for day in days if FIRST <= day <= LAST), None)
    if day is None:
        raise FieldError(f"Days go from {day_text(FIRST)} to {day_text(LAST)}.")
    return day


def day_text(day: date | None) -> str:
    """A day as the forms write it."""
    return "" if day is None else f"{day.day:02}/{day.month:02}/{day.year:04}"


def format_day(day: date) -> str:
    """`12 Nov 2026`, as pages and mails write a day."""
    return f"{day.day} {day:%b %Y}"


def format_time(at: datetime, zone: tzinfo) -> str:
    """`12 Nov 2026, 14:05` in the zone."""
    return f"{format_day(at.astimezone(zone))}, {format_clock(at, zone)}"


def format_clock(at: datetime, zone: tzinfo) -> str:
    """`14:05` in the zone."""
    return f"{at.astimezone(zone):%H:%M}"


def _days(typed: str) -> list[date]:
    """The day that the text means; of the two ways to read eight digits, at most one gives a year that orders have."""
    readings: list[tuple[str, ...]] = []
    if _DIGITS.fullmatch(typed):
        readings = [(typed[4:], typed[2:4], typed[:2]), (typed[:4], typed[4:6], typed[6:])]
    elif year_first := _YEAR_FIRST.fullmatch(typed):
        readings = [year_first.group(1, 2, 3)]
    elif day_first := _DAY_FIRST.fullmatch(typed):
        readings = [day_first.group(3, 2, 1)]
    days = []
    for year, month, day in readings:
        with suppress(ValueError):  # the 31st of February
            days.append(date(int(year), int(month), int(day)))
    return days


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in the zone, in UTC.

    Where midnight does not exist (clocks go forward at 0:00, as in Sao Paulo until 2019) that is the moment of the
    change; where it comes twice, the first of the two. Days outside the years that orders have count as the nearest.
    """
    day = min(max(day, FIRST), LAST)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def days_to_interval(
    start: date | None, end: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """[from, to) in UTC for the days start to end, both included; start alone is that one day, end alone has no from.

    A day has its length in the zone: 23 or 25 hours when the clocks change.
    """
    if start is not None and end is None:
        end = start
    until = None
    if end is not None:
        last = min(max(end, FIRST), LAST)
        until = day_start(last + timedelta(days=1), zone)
    return (None if start is None else day_start(start, zone)), until


@cache
def time_zones() -> tuple[str, ...]:
    """The names of all time zones that a person may choose, sorted."""
    # The rest are compatibility names ("EST5EDT", "Etc/GMT+5") whose signs mislead.
    regions = {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
    }
    regions |= {"Pacific"}
    return tuple(sorted(name for name in _known_zones() if name == "UTC" or name.split("/")[0] in regions))


def find_time_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name, or None: browsers may send names that this machine does not know."""
    if name is None or name not in _known_zones():
        return None
    return ZoneInfo(name)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
