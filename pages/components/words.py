"""How values read on the page."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo


def day_words(day: date) -> str:
    """`12 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def time_words(at: datetime, zone: ZoneInfo) -> str:
    """`12 Nov 2026, 14:05` in the zone."""
    local = at.astimezone(zone)
    return f"{day_words(local)}, {local:%H:%M}"


def number_words(number: Decimal) -> str:
    """A plain number without useless zeros: `20`, `12.5`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
