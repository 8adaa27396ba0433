"""What was typed into one search field: trimmed, and in the form that it is searched in.

Each parser returns (trimmed text, value), value None when the field is empty, and raises `FieldError` with a sentence.
"""

import re
import unicodedata

MAX_TEXT = 500
MAX_IDS = 200_000
_MAX_IDS_TEXT = 4_000_000
_LARGEST_ID = 2**63 - 1
_SEPARATORS = re.compile(r"[\s,;]+")


class FieldError(ValueError):
    """A sentence that stands next to the field."""


def parse_text(value: str) -> tuple[str, str | None]:
    """A whole value to compare, such as a name: trimmed."""
    trimmed = _clean(value)
    return trimmed, trimmed or None


def parse_phone(value: str) -> tuple[str, str | None]:
    """A phone number; the database compares its digits."""
    trimmed = _clean(value)
    if trimmed and not any(c.isdigit() for c in trimmed):
        raise FieldError("A phone number has digits; there are none here.")
    return trimmed, trimmed or None


def parse_card(value: str) -> tuple[str, str | None]:
    """Exactly four digits."""
    trimmed = _clean(value)
    digits = ascii_digits(trimmed)
    if trimmed and not re.fullmatch("[0-9]{4}", digits):
        raise FieldError("Enter exactly four digits.")
    return digits, digits or None


def parse_code(value: str) -> tuple[str, str | None]:
    """Part of an activation code, three characters or more."""
    trimmed = _clean(value)
    if trimmed and len(unicodedata.normalize("NFC", trimmed)) < 3:
        raise FieldError("Enter at least 3 characters of the code.")
    return trimmed, trimmed or None


def parse_ids(value: str) -> tuple[str, tuple[int, ...] | None]:
    """Order IDs between spaces, commas, semicolons or line breaks; only their digits count.

    An ID larger than any order can have is no error: it matches nothing.
    """
    if len(value) > _MAX_IDS_TEXT:
        raise FieldError(f"This is too long: at most {MAX_IDS:,} IDs can be searched at once.")
    trimmed = _clean(value, longest=_MAX_IDS_TEXT)
    tokens = [token for token in _SEPARATORS.split(trimmed) if trim(token)]
    if len(tokens) > MAX_IDS:
        raise FieldError(f"These are {len(tokens):,} IDs; at most {MAX_IDS:,} can be searched at once.")
    found: dict[int, None] = {}
    wrong: list[str] = []
    for token in tokens:
        digits = re.sub("[^0-9]", "", ascii_digits(token)).lstrip("0")
        if not digits and not any(c.isdigit() for c in token):
            wrong.append(token)
        elif digits and len(digits) <= 19 and int(digits) <= _LARGEST_ID:
            found[int(digits)] = None
    if wrong:
        more = f", and {len(wrong) - 1:,} more like it" if len(wrong) > 1 else ""
        raise FieldError(f"“{_shortened(wrong[0])}” has no digits, so it is no order ID{more}.")
    if not tokens:
        return "", None
    return trimmed, tuple(found)


def ascii_digits(value: str) -> str:
    """With the decimal digits of every script as 0-9."""
    if value.isascii():
        return value
    return "".join(c if c.isascii() or not c.isdecimal() else str(unicodedata.decimal(c)) for c in value)


def trim(value: str) -> str:
    """Without spaces and invisible marks at the ends: mail programs put direction marks around what is copied."""
    start, end = 0, len(value)
    while start < end and _blank(value[start]):
        start += 1
    while end > start and _blank(value[end - 1]):
        end -= 1
    return value[start:end]


def _blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def _clean(value: str, *, longest: int = MAX_TEXT) -> str:
    if len(value) > longest + 1000:  # before any work is spent on it
        raise FieldError(f"This is too long: at most {longest:,} characters can be searched for.")
    trimmed = trim(value)
    if len(trimmed) > longest:
        raise FieldError(f"This is too long: at most {longest:,} characters can be searched for.")
    for character in trimmed:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise FieldError(f"There is a character that cannot be searched for (U+{ord(character):04X}).")
    return trimmed


def _shortened(token: str) -> str:
    shown = "".join(c for c in token if c.isprintable())
    return shown if len(shown) <= 24 else shown[:23] + "…"
