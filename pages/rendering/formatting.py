"""How values read on the page."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from services.access import Role
from services.money import plain_amount

ROLE_LABELS: Final = {
    Role.SPECIALIST: "Specialist",
    Role.ANALYST: "Analyst",
    Role.REFUND_OPERATOR: "Refund operator",
    Role.ADMINISTRATOR: "Administrator",
}


def format_day(day: date) -> str:
    """`12 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def format_time(at: datetime, zone: ZoneInfo) -> str:
    """`12 Nov 2026, 14:05` in the zone."""
    local = at.astimezone(zone)
    return f"{format_day(local)}, {local:%H:%M}"


def wall_clock(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The time in the zone without its offset: a table then shows it as it is, whatever zone the browser is in."""
    return None if at is None else at.astimezone(zone).replace(tzinfo=None, microsecond=0)


def format_number(number: Decimal) -> str:
    """A plain number without useless zeros: `20`, `12.5`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_cells(amounts: Iterable[tuple[Decimal | None, str]]) -> list[str | None]:
    """Amounts of zero and more for a column of a table: `EUR 1,234.50`, `EUR     72.00`, `JPY 980`.

    The browser sorts a column of text by its characters. Spaces, which come before every digit, give the amounts of a
    currency the same number of places: so they sort as numbers, by currency and amount. Nothing goes through a binary
    fraction on the way. A digit is about as wide as two spaces, so that the codes stand below one another.
    """
    found = list(amounts)
    longest: dict[str, str] = {}
    for amount, currency in found:
        if amount is not None:
            longest[currency] = max(longest.get(currency, ""), _whole(amount, currency), key=len)
    return [
        None
        if amount is None
        else f"{currency} {_padding(amount, currency, longest[currency])}{plain_amount(amount, currency)}"
        for amount, currency in found
    ]


def _whole(amount: Decimal, currency: str) -> str:
    return plain_amount(amount, currency).partition(".")[0]


def _padding(amount: Decimal, currency: str, longest: str) -> str:
    whole = _whole(amount, currency)
    commas = longest.count(",") - whole.count(",")
    return " " * (2 * (len(longest) - len(whole) - commas) + commas)


def format_age(since: datetime, now: datetime) -> str:
    """How long ago in its largest unit: `3 d`, `5 h`, `12 min`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
