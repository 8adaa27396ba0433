"""Days of a time zone as moments."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST, LAST = date(1970, 1, 2), date(2200, 12, 30)


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

    A day is as long as it is in the zone: 23 or 25 hours when the clocks change.
    """
    if start is not None and end is None:
        end = start
    until = None
    if end is not None:
        last = min(max(end, FIRST), LAST)
        until = day_start(last + timedelta(days=1), zone)
    return (None if start is None else day_start(start, zone)), until
