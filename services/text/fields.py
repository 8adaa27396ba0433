"""The text of a search field: trimmed, limited in length, and free of characters that cannot be stored."""

import unicodedata

from services.text.keys import strip_edges

MAX_TEXT = 500


class FieldError(ValueError):
    """A field whose value cannot be used; the text is a sentence to show next to it."""


def parse_text(value: str) -> tuple[str, str | None]:
    """A whole value to compare, such as a name: trimmed."""
    trimmed = clean(value)
    return trimmed, trimmed or None


def clean(value: str, *, longest: int = MAX_TEXT) -> str:
    """The value without white space at its ends; raises `FieldError` if it is too long or has control characters."""
    if len(value) > longest + 1000:  # before any work is spent on it
        raise FieldError(f"This is too long: at most {longest:,} characters can be searched for.")
    trimmed = strip_edges(value)
    if len(trimmed) > longest:
        raise FieldError(f"This is too long: at most {longest:,} characters can be searched for.")
    for character in trimmed:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise FieldError(f"There is a character that cannot be searched for (U+{ord(character):04X}).")
    return trimmed
