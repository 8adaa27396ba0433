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


_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str | None) -> str:
    """What people call the browser that sends this: `Firefox on Linux`."""
    given = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in given), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in given), None)
    return f"{browser} on {system}" if system else browser
