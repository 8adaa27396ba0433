"""Order IDs as people paste them: any number of names, 1C numbers and plain numbers."""

import re
from typing import Final

from db.statements.conditions import AskedOrder
from services.text.keys import ascii_digits, strip_edges
from services.text.numbers import is_bigint

MAX_IDS: Final = 200_000
MAX_TEXT: Final = 4_000_000
# An order's name and its 1C number have at most 64 characters; anything longer is a list.
_LONGEST_NAME: Final = 64
# White space, commas and semicolons of any script, and the ideographic comma and the vertical bar.
_SEPARATORS: Final = re.compile(r"[\s,;،؛፣、，；︐︑︔﹐﹑﹔､|｜]+")
_SLASHES: Final = re.compile(r"[/／⁄∕]+")
_SPREADSHEET_NUMBER: Final = re.compile(r"[0-9]+\.0+")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+")
_DOTTED: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


class IdError(ValueError):
    """Text that cannot be read as order IDs; the message is a sentence to show next to the field."""


def parse_asked_orders(text: str) -> tuple[AskedOrder, ...]:
    """The orders asked for, each once.

    A name or 1C number is compared as shown, anything else by its digits alone. Raises `IdError` for a token without
    digits and for one whose digits could mean several numbers.
    """
    asked: dict[AskedOrder, None] = {}
    refused: list[str] = []
    for line in text.splitlines():
        whole = _as_name(line)
        for token in _SEPARATORS.split(line):
            token = strip_edges(token)
            pieces = [piece for piece in map(strip_edges, _SLASHES.split(token)) if piece]
            if pieces and not _has_digits(token):
                refused.append(token)
                continue
            for piece in filter(_has_digits, pieces):
                wholes = (
                    None if piece == token else _as_name(token),
                    None if whole in (piece, token) else whole,
                )
                asked[AskedOrder(piece, _number(piece), *wholes)] = None
    if len(asked) > MAX_IDS:
        raise IdError(f"These are {len(asked):,} IDs; at most {MAX_IDS:,} can be searched at once.")
    if refused:
        more = f", and {len(refused) - 1:,} more like it" if len(refused) > 1 else ""
        raise IdError(f"“{_shortened(refused[0])}” has no digits, so it is not an order ID{more}.")
    return tuple(asked)


def _has_digits(text: str) -> bool:
    return any("0" <= c <= "9" for c in ascii_digits(text))


def _number(piece: str) -> int | None:
    digits = ascii_digits(piece)
    if _EMAIL.fullmatch(piece):
        raise IdError(
            f"“{_shortened(piece)}” is an e-mail address, not an order ID. Please enter it under Email."
        )
    if _SPREADSHEET_NUMBER.fullmatch(digits):
        digits = digits.partition(".")[0]
    elif _SCIENTIFIC.fullmatch(digits):
        raise IdError(
            f"“{_shortened(piece)}” is a number that a spreadsheet has shortened. Please copy the whole ID."
        )
    elif _DOTTED.fullmatch(digits):
        raise IdError(
            f"“{_shortened(piece)}” could mean several order IDs. Please enter the ID without dots."
        )
    number = re.sub("[^0-9]", "", digits).lstrip("0")
    return int(number) if number and len(number) <= 19 and is_bigint(int(number)) else None


def _as_name(text: str) -> str | None:
    text = strip_edges(text)
    return text if 0 < len(text) <= _LONGEST_NAME else None


def _shortened(token: str) -> str:
    shown = "".join(c for c in token if c.isprintable())
    return shown if len(shown) <= 24 else shown[:23] + "…"
