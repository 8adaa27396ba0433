"""The text of one search field: trimmed, and in the form that it is searched in.

Each parser returns (trimmed text, value), the value None when the field is empty, and raises `FieldError` with a
sentence.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from db.statements.conditions import AskedOrder
from services.countries import country_code, country_keys
from services.money import is_currency, minor_units
from services.orders.ids import MAX_IDS, IdError, parse_asked_orders
from services.orders.ids import MAX_TEXT as MAX_IDS_TEXT
from services.text.fields import FieldError, clean
from services.text.keys import ascii_digits, digits_of

_HIGHEST_TOTAL: Final = Decimal(10) ** 15  # that an order can have
_MOST_DECIMALS: Final = 20
# Thousands in groups of three, and decimals; the separators differ from each other.
_GROUPED: Final = (
    re.compile(r"(\d{1,3}(?:,\d{3})+)(?:\.(\d+))?"),
    re.compile(r"(\d{1,3}(?:\.\d{3})+),(\d+)"),
    re.compile(r"(\d{1,3}(?:\.\d{3}){2,})"),
    re.compile(r"(\d{1,3}(?:[\s'’]\d{3})+)(?:[.,](\d+))?"),
    re.compile(r"(\d+)(?:[.,](\d+))?"),
)
_AMBIGUOUS: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")


def parse_phone(value: str) -> tuple[str, str | None]:
    """A phone number; the database compares its digits."""
    trimmed = clean(value)
    if trimmed and digits_of(trimmed) is None:
        raise FieldError("A phone number has digits; there are none here.")
    return trimmed, trimmed or None


def parse_card(value: str) -> tuple[str, str | None]:
    """Exactly four digits."""
    trimmed = clean(value)
    digits = ascii_digits(trimmed)
    if trimmed and not re.fullmatch("[0-9]{4}", digits):
        raise FieldError("Enter exactly four digits.")
    return digits, digits or None


def parse_code(value: str) -> tuple[str, str | None]:
    """Part of an activation code, three characters or more."""
    trimmed = clean(value)
    if trimmed and len(unicodedata.normalize("NFC", trimmed)) < 3:
        raise FieldError("Enter at least 3 characters of the code.")
    return trimmed, trimmed or None


def parse_ids(value: str) -> tuple[str, tuple[AskedOrder, ...] | None]:
    """Order IDs between spaces, commas, semicolons or line breaks: names and 1C numbers as shown, else their digits.

    A number larger than any order can have is not an error: it matches nothing.
    """
    if len(value) > MAX_IDS_TEXT:
        raise FieldError(f"This is too long: at most {MAX_IDS:,} IDs can be searched at once.")
    trimmed = clean(value, longest=MAX_IDS_TEXT)
    try:
        asked = parse_asked_orders(trimmed)
    except IdError as error:
        raise FieldError(str(error)) from None
    return (trimmed, asked) if asked else ("", None)


def parse_currency(value: str) -> tuple[str, str | None]:
    """The code of a currency."""
    trimmed = clean(value)
    code = trimmed.upper()
    if trimmed and not is_currency(code):
        raise FieldError("This is not the code of a currency, such as EUR.")
    return code, code or None


def parse_total(value: str, currency: str | None) -> tuple[str, Decimal | None]:
    """An amount, in the ways that people write one: 1234.50, 1,234.50, 1.234,50, 1 234,50.

    The text that comes back is the amount without separators. A comma before three digits separates thousands, as in
    the amounts that pages show.
    """
    trimmed = clean(value)
    if not trimmed:
        return "", None
    digits = ascii_digits(trimmed).replace("\u2212", "-")
    sign, number = ("-", digits[1:].strip()) if digits.startswith("-") else ("", digits)
    if _AMBIGUOUS.fullmatch(number) and minor_units(currency or "") < 3:
        whole, cents = number.replace(".", ""), number[:-1]
        raise FieldError(f"“{number}” could mean two amounts. Please write {whole} or {cents}.")
    match = next((match for form in _GROUPED if (match := form.fullmatch(number))), None)
    if match is None:
        raise FieldError("This is not an amount. Please write one such as 49.90.")
    whole = re.sub("[^0-9]", "", match[1])
    decimals = match[2] if match.re.groups > 1 else None
    if len(whole) > 30 or len(decimals or "") > _MOST_DECIMALS:
        raise FieldError("No order has such an amount.")
    amount = Decimal(f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}")
    if abs(amount) >= _HIGHEST_TOTAL:
        raise FieldError("No order has such an amount.")
    return f"{amount:f}", amount


def parse_country(value: str) -> tuple[str, tuple[str, ...] | None]:
    """A country by code or name, in all spellings that shops have for it; any other text is compared as it is."""
    trimmed = clean(value)
    return country_code(trimmed) or trimmed, country_keys(trimmed) or None
