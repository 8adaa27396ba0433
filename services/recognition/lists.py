"""A long text, read as what long texts are: order numbers that were pasted from somewhere."""

from typing import Final

from services.orders.filters import SearchInput
from services.orders.ids import IdError, parse_asked_orders
from services.recognition.readings import Reading, checked
from services.recognition.shapes import EMAIL
from services.recognition.vocabulary import LABELS
from services.text.keys import ascii_digits, search_key

# Parts of a text that are named when they could not be placed.
_MOST_UNPLACED: Final = 50
_LONGEST_SHOWN: Final = 60


def list_reading(text: str) -> Reading:
    """The order numbers of the text; what has no digits, and what is an e-mail, cannot be placed.

    A heading above the numbers ("Order") is a label, and no part that was left out.
    """
    if (typed := checked({"order_ids": text})) is not None and typed.order_ids:
        return Reading(typed, pieces=(text[:_LONGEST_SHOWN],))
    orders: list[str] = []
    unplaced: list[str] = []
    for line in text.splitlines():
        if (search_key(line) or "",) in LABELS:
            continue
        for token in line.replace(",", " ").replace(";", " ").split():
            (orders if _is_order(token) else unplaced).append(token)
    typed = checked({"order_ids": "\n".join(orders)}) if orders else None
    if typed is None:
        return Reading(SearchInput(), (), (_shortened(text),))
    return Reading(typed, (_shortened(" ".join(orders[:20])),), _named(unplaced))


def _is_order(token: str) -> bool:
    if not any("0" <= c <= "9" for c in ascii_digits(token)) or EMAIL.fullmatch(token[:300]):
        return False
    try:
        return bool(parse_asked_orders(token))
    except IdError:
        return False


def _named(unplaced: list[str]) -> tuple[str, ...]:
    first = [_shortened(part) for part in dict.fromkeys(unplaced[:_MOST_UNPLACED])]
    more = len(unplaced) - _MOST_UNPLACED
    return (*first, f"{more:,} more") if more > 0 else tuple(first)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
