"""The text of values on a page. Days and times are written as in mails (services/time_zones.py)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from services.access import Role
from services.money import plain_amount
from services.time_zones import format_clock as format_clock
from services.time_zones import format_day as format_day
from services.time_zones import format_time as format_time

ROLE_LABELS: Final = {
    Role.SPECIALIST: "Specialist",
    Role.ANALYST: "Analyst",
    Role.REFUND_OPERATOR: "Refund operator",
    Role.ADMINISTRATOR: "Administrator",
}


def wall_clock(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The time in the zone without its offset, so that a table shows it unchanged, whatever the browser's zone."""
    return None if at is None else at.astimezone(zone).replace(tzinfo=None, microsecond=0)


def format_number(number: Decimal) -> str:
    """A number without trailing zeros: `20`, `12.5`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_cells(amounts: Iterable[tuple[Decimal | None, str]]) -> list[str | None]:
    """Amounts of zero and more for a column of a table: `EUR 1,234.50`, `EUR     72.00`, `JPY 980`.

    The browser sorts a column of text by its characters. Spaces, which come before every digit, give all amounts of a
    currency the same number of places, so that they sort as numbers, by currency and amount. No amount becomes a binary
    fraction on the way. A digit is about as wide as two spaces, so that the currencies are aligned.
    """
    cells = list(amounts)
    longest: dict[str, str] = {}
    for amount, currency in cells:
        if amount is not None:
            longest[currency] = max(longest.get(currency, ""), _whole(amount, currency), key=len)
    return [
        None
        if amount is None
        else f"{currency} {_padding(amount, currency, longest[currency])}{plain_amount(amount, currency)}"
        for amount, currency in cells
    ]


def _whole(amount: Decimal, currency: str) -> str:
    return plain_amount(amount, currency).partition(".")[0]


def _padding(amount: Decimal, currency: str, longest: str) -> str:
    whole = _whole(amount, currency)
    commas = longest.count(",") - whole.count(",")
    return " " * (2 * (len(longest) - len(whole) - commas) + commas)


def format_age(since: datetime, now: datetime) -> str:
    """The time since then in its largest unit: `3 d`, `5 h`, `12 min`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
