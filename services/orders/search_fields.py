"""The text of one search field: trimmed, and in the form that it is searched in.

Each parser returns (trimmed text, value), the value None when the field is empty, and raises `FieldError` with a
sentence.
"""

import re
import unicodedata

from db.statements.conditions import AskedOrder
from services.orders.ids import MAX_IDS, IdError, parse_asked_orders
from services.orders.ids import MAX_TEXT as MAX_IDS_TEXT
from services.text.fields import FieldError, clean
from services.text.keys import ascii_digits, digits_of


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
