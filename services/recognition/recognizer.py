"""What a text typed into the one search box can mean.

Rules alone, without the database: text and context in, ranked readings out. A reading fills the fields of the search
form and can find nothing that the form would not find with the same fields.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from services.countries import country_code
from services.orders.filters import TEXT_FIELDS, SearchInput
from services.recognition.context import Context
from services.recognition.labels import literal_label
from services.recognition.lists import list_reading
from services.recognition.names import PARTICLES
from services.recognition.periods import period_at
from services.recognition.readings import MOST, Reading, checked, readings_of
from services.recognition.segmentation import pieces_of
from services.recognition.tokens import LONGEST, Token, cleaned, tokens_of
from services.recognition.vocabulary import (
    LABELS,
    STATUSES,
    longest_phrase,
)
from services.text.keys import digits_of, strip_edges

# A longer text is not read word by word, whatever it is.
_MOST_TOKENS: Final = 60
_NAMES: Final = frozenset({"first_name", "last_name", "company"})
_MOST_CHARACTERS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Recognition:
    """The readings of a text, the likeliest first; none when it is empty or nothing of it can be placed."""

    readings: tuple[Reading, ...]
    unplaced: tuple[str, ...] = ()


def recognize(text: str, context: Context) -> Recognition:
    """The readings of the text; never raises, and takes a time that grows no faster than the text."""
    typed = strip_edges(text[:_MOST_CHARACTERS])
    text = strip_edges(cleaned(typed))
    if not text:
        return Recognition(())
    tokens = tokens_of(text) if len(text) <= LONGEST else []
    if not tokens or len(tokens) > _MOST_TOKENS:
        return _of_list(text)
    ranked = readings_of(pieces_of(tokens, context, names=False), context.today)
    if lone := _lone_names(tokens, context):
        is_likely = all(_is_beside_name(tokens, at) for at in lone)
        ranked = [(rank + 3 * is_likely, reading) for rank, reading in ranked]
        ranked += readings_of(pieces_of(tokens, context, names=True), context.today, 0 if is_likely else 1)
    readings = [_as_pasted(text, reading) for _, reading in sorted(ranked, key=lambda pair: pair[0])]
    readings = _different(readings)[:MOST]
    if not _is_certain(readings, tokens) or literal_label(text, tokens) is not None:
        readings = _different([*readings, *_literal(typed, tokens), *_literal(text, tokens)])
    is_placed = any(not reading.literal for reading in readings)
    return Recognition(tuple(readings), () if is_placed else (text,))


def prepare() -> None:
    """Load what recognition needs from its libraries, so that the first text does not wait for it."""
    recognize("Köhler 12345678 +49 30 1234567 May 4242", Context(date(2026, 5, 1)))


def _as_pasted(text: str, reading: Reading) -> Reading:
    """Orders alone are searched for as they were pasted: a name may contain a space, and ends with its line."""
    if len(reading.pieces) < 2 or reading.unplaced or reading.typed.filled().keys() != {"order_ids"}:
        return reading
    typed = checked({"order_ids": text})
    return reading if typed is None else replace(reading, typed=typed)


def _different(readings: list[Reading]) -> list[Reading]:
    """Each search once, where it came first."""
    first: dict[SearchInput, Reading] = {}
    for reading in readings:
        first.setdefault(reading.typed, reading)
    return list(first.values())


def _of_list(text: str) -> Recognition:
    reading = list_reading(text)
    if reading.typed == SearchInput():
        return Recognition((), reading.unplaced)
    return Recognition((reading,))


def _lone_names(tokens: list[Token], context: Context) -> list[int]:
    """The tokens that are a month or a weekday alone, and could be somebody's name."""
    return [
        at
        for at in range(len(tokens))
        if (period := period_at(tokens, at, context, names=False)) is not None
        and len(period.positions) == 1
        and period_at(tokens, at, context, names=True) is None
    ]


def _is_beside_name(tokens: list[Token], at: int) -> bool:
    """Whether the word and one beside it begin with capitals, as in April Jones."""
    beside = [n for n in (at - 1, at + 1) if 0 <= n < len(tokens) and not tokens[min(n, at)].breaks]
    return tokens[at].text.istitle() and any(
        (tokens[n].text.istitle() or tokens[n].text in PARTICLES)
        and tokens[n].text.isalpha()
        and longest_phrase(STATUSES, tokens, n) is None
        for n in beside
    )


def _is_certain(readings: list[Reading], tokens: list[Token]) -> bool:
    """Whether the text needs no second reading: an e-mail, an order in the form that pages show, a label and its value.

    Of more than one piece, all have to be of that kind.
    """
    if len(readings) != 1 or readings[0].unplaced:
        return False
    filled = readings[0].typed.filled().keys()
    is_said = len(readings[0].pieces) > 1 or any(
        longest_phrase(LABELS, tokens, at) for at in range(len(tokens))
    )
    return bool(filled) and not filled & _NAMES and (is_said or filled <= {"email", "order_ids", "phone"})


def _literal(text: str, tokens: list[Token]) -> Iterator[Reading]:
    """The whole text in each field that takes it: a company may be called Refunded Ltd, and is found by the form."""
    if (labelled := literal_label(text, tokens)) is not None:
        field, value = labelled
        if (typed := checked({field: value})) is not None and typed.filled():
            yield Reading(typed, (text,), literal=True)
            return
    for field in TEXT_FIELDS:
        if _may_be(field, text) and (typed := checked({field: text})) is not None and typed.filled():
            yield Reading(typed, (text,), literal=True)


def _may_be(field: str, text: str) -> bool:
    match field:
        case "total_from" | "total_to" | "currency" | "product" | "refund_reason":
            return False  # only with a label, or with its currency
        case "country":
            return country_code(text) is not None
        case "email":
            return "@" in text
        case "phone" | "vat_number":
            digits = len(digits_of(text) or "")
            return digits >= 3 and (field == "vat_number" or sum(map(str.isalpha, text)) <= 4)
        case _:
            return True
