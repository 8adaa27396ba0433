"""Text typed into the fields of a dialog."""

import unicodedata
from typing import Final

import regex

from services.errors import InvalidInput
from services.text.keys import strip_edges

REASON_LIMIT: Final = 500
NOTE_LIMIT: Final = 2_000
# A character as people see it may consist of any number of code points; the database stores this many.
_CODE_POINTS: Final = 15_000
_CHARACTER = regex.compile(r"\X")
_KEPT_CONTROLS = "\n\t"


def count_characters(text: str) -> int:
    """The number of characters as people count them: a letter with its accents is one, as is the emoji of a family."""
    return sum(1 for _ in _CHARACTER.finditer(text))


def checked_text(value: str | None, *, field: str, name: str, limit: int, required: bool = True) -> str:
    """The text without spaces at its ends and without control characters, its line breaks all of one kind.

    `name` begins the sentences ("Reason"). Raises `InvalidInput` for `field` when it is empty but required, and when
    it has more than `limit` characters as people count them; the sentence says how many there are.
    """
    text = strip_edges(value or "")
    if len(text) <= 100 * _CODE_POINTS:  # longer text is refused below and need not be examined
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs"))
        text = strip_edges(text)
    if not text and required:
        raise InvalidInput(f"{name} is needed.", field=field)
    number = count_characters(text[: 100 * _CODE_POINTS])
    if number > limit:
        raise InvalidInput(f"{name} may have {limit:,} characters at most; this has {number:,}.", field=field)
    if len(text) > _CODE_POINTS:
        raise InvalidInput(
            f"{name} has more marks on its letters than can be kept. Please make it shorter.", field=field
        )
    return text
