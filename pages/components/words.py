"""How values read on the page."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from services.access import Role

ROLE_WORDS: Final = {
    Role.SPECIALIST: "Specialist",
    Role.ANALYST: "Analyst",
    Role.REFUND_OPERATOR: "Refund operator",
    Role.ADMINISTRATOR: "Administrator",
}


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


def age_words(since: datetime, now: datetime) -> str:
    """How long ago in its largest unit: `3 d`, `5 h`, `12 min`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
