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
from services.recognition.amounts import amount_at, country_at
from services.recognition.calendar_names import months
from services.recognition.context import Context
from services.recognition.labels import labelled_at, literal_label, stops_at, store_at
from services.recognition.lists import list_reading
from services.recognition.names import PARTICLES, company_at, name_piece
from services.recognition.periods import period_at
from services.recognition.phones import phone_at
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.readings import MOST, Reading, checked, readings_of
from services.recognition.shapes import card_at, email_at, shape_at
from services.recognition.tokens import LONGEST, Token, cleaned, tokens_of
from services.recognition.vocabulary import (
    CANCELLED,
    CONNECTING,
    NEGATIONS,
    STATUSES,
    STRAY_NEGATIONS,
    TITLES,
    longest_phrase,
)
from services.text.keys import digits_of, strip_edges

# A longer text is not read word by word, whatever it is.
_MOST_TOKENS: Final = 60
# A word that mostly connects others may be part of the name in a text of so few tokens: an nguyen.
_FEW: Final = 3
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
    if not _is_certain(readings):
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


def pieces_of(tokens: list[Token], context: Context, *, names: bool) -> list[Piece]:
    """The pieces of the text; each token is part of one, unless it only connects others.

    With `names`, words that are both a month and a name are names.
    """
    pieces: list[Piece] = []
    words: list[int] = []
    connecting: list[int] = []
    at = 0
    while at < len(tokens):
        piece = _piece_at(tokens, at, context, names=names)
        if piece is not None:
            pieces.append(piece)
            at = piece.positions[-1] + 1
            continue
        is_connecting = tokens[at].key.rstrip(".") in CONNECTING and not tokens[at].quoted
        (connecting if is_connecting else words).append(at)
        at += 1
    if pieces and _is_sentence(words):
        pieces += [
            Piece(tokens[at].text, (at,), (), Kind.UNPLACED) for at in words if tokens[at].text.islower()
        ]
        words = [at for at in words if not tokens[at].text.islower()]
    if words or (not pieces and connecting):
        pieces.append(_named(tokens, words, connecting))
    return pieces


def _is_sentence(words: list[int]) -> bool:
    """Whether the remaining words are those of a sentence, scattered over it: only capitals are names then."""
    return len(words) > 2 and words[-1] - words[0] >= len(words)


def _named(tokens: list[Token], words: list[int], connecting: list[int]) -> Piece:
    """The name among the remaining words.

    A word that mostly connects others can be part of it: An Nguyen, von Köhler.
    """
    if not words:
        return name_piece(tokens, tuple(connecting))
    beside = [at for at in _beside(words, connecting) if tokens[at].key.rstrip(".") not in TITLES]
    near = tuple(sorted((*words, *beside)))
    piece = name_piece(tokens, tuple(words))
    capitals = all(tokens[at].text[:1].isupper() for at in near) or _has_particle(tokens, near, words)
    if near == tuple(words) or not piece.meanings or not (capitals or len(tokens) <= _FEW):
        return piece
    longer = name_piece(tokens, near)
    shift = (1, 0) if capitals else (0, 3)
    meanings = [Meaning(m.fields, m.rank + shift[0]) for m in piece.meanings]
    meanings += [Meaning(m.fields, m.rank + shift[1]) for m in longer.meanings]
    return Piece(piece.text, piece.positions, tuple(meanings), Kind.NAME)


def _beside(words: list[int], connecting: list[int]) -> list[int]:
    """The connecting words without a gap to a word of the name."""
    near = set(words)
    for at in connecting:
        if at - 1 in near:
            near.add(at)
    for at in reversed(connecting):
        if at + 1 in near:
            near.add(at)
    return sorted(near - set(words))


def _has_particle(tokens: list[Token], near: tuple[int, ...], words: list[int]) -> bool:
    added = {tokens[at].key for at in near if at not in words}
    return len(words) > 1 and added <= {
        "von",
        "de",
        "der",
        "la",
        "el",
        "los",
        "las",
        "du",
        "des",
        "e",
        "y",
        "и",
    }


def _piece_at(tokens: list[Token], at: int, context: Context, *, names: bool) -> Piece | None:
    """The piece that begins at this token: of a value with its label, a period and a status the longest."""
    if tokens[at].quoted:
        return email_at(tokens, at) or store_at(tokens, at, context)
    longest = max(_phrases(tokens, at, context, names=names), key=lambda p: len(p.positions), default=None)
    if longest is not None:
        return longest
    if (piece := email_at(tokens, at) or card_at(tokens, at) or _phone(tokens, at, context)) is not None:
        return piece
    if tokens[at].key not in CONNECTING:
        stops = frozenset(n for n in range(at + 1, min(at + 8, len(tokens))) if stops_at(tokens, n, context))
        if (piece := company_at(tokens, at, stops)) is not None:
            return piece
    return _no_day(tokens, at) or shape_at(tokens, at, context)


def _no_day(tokens: list[Token], at: int) -> Piece | None:
    """A day that does not exist, such as 31 Feb, and a negation of nothing that is known."""
    if tokens[at].key in STRAY_NEGATIONS:
        return Piece(tokens[at].text, (at,), (), Kind.UNPLACED)
    is_day = tokens[at].key.isdecimal() and len(tokens[at].key) <= 2 and at + 1 < len(tokens)
    if not is_day or tokens[at].breaks or tokens[at + 1].key.rstrip(".") not in months():
        return None
    return Piece(f"{tokens[at].text} {tokens[at + 1].text}", (at, at + 1), (), Kind.UNPLACED)


def _phrases(tokens: list[Token], at: int, context: Context, *, names: bool) -> Iterator[Piece]:
    candidates = (
        labelled_at(tokens, at, context),
        store_at(tokens, at, context),
        amount_at(tokens, at),
        country_at(tokens, at),
        period_at(tokens, at, context, names=names),
        _status(tokens, at),
    )
    yield from filter(None, candidates)


def _status(tokens: list[Token], at: int) -> Piece | None:
    phrase = longest_phrase(STATUSES, tokens, at)
    if phrase is None:
        return _negated_status(tokens, at)
    length, fields = phrase
    alternatives = (fields,) if fields else CANCELLED
    meanings = tuple(Meaning(each, rank) for rank, each in enumerate(alternatives))
    text = " ".join(token.text for token in tokens[at : at + length])
    return Piece(text, tuple(range(at, at + length)), meanings, Kind.STATUS)


def _negated_status(tokens: list[Token], at: int) -> Piece | None:
    """Not refunded, not terminated: the form cannot leave a status out, so that this cannot be placed."""
    phrase = longest_phrase(STATUSES, tokens, at + 1) if tokens[at].key in NEGATIONS else None
    if phrase is None or at + 1 >= len(tokens):
        return None
    end = at + 1 + phrase[0]
    text = " ".join(token.text for token in tokens[at:end])
    return Piece(text, tuple(range(at, end)), (), Kind.UNPLACED)


def _phone(tokens: list[Token], at: int, context: Context) -> Piece | None:
    found = phone_at(tokens, at, context)
    if found is None or (found[0] == 1 and tokens[at].key.isdecimal()):
        return None  # digits alone can be an order as well, which `shape_at` knows
    length, is_certain = found
    text = " ".join(token.text for token in tokens[at : at + length])
    meanings = [Meaning({"phone": text})]
    if length == 1 and text[0] not in "+(0" and len(digits_of(text) or "") not in (10, 11):
        # 2026/117, 1234-5678-9012: as likely the number of an order, or a code.
        meanings = [Meaning({"phone": text}, 2), *_others(text, is_code=len(text) > 9)]
    elif not is_certain or length == 1:
        meanings += [Meaning(m.fields, m.rank + 1) for m in _others(text, is_code=False)]
    return Piece(text, tuple(range(at, at + length)), tuple(m for m in meanings if checked(m.fields)))


def _others(text: str, *, is_code: bool) -> list[Meaning]:
    return [Meaning({"order_ids": text}, int(is_code)), Meaning({"activation_code": text}, int(not is_code))]


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


def _is_certain(readings: list[Reading]) -> bool:
    """Whether the text is a value of a shape that nothing else has, such as an e-mail, and needs no second reading."""
    if len(readings) != 1 or readings[0].unplaced:
        return False
    filled = readings[0].typed.filled().keys()
    return filled <= {"email", "order_ids", "phone"} and len(filled) == 1


def _literal(text: str, tokens: list[Token]) -> Iterator[Reading]:
    """The whole text in each field that takes it: a company may be called Refunded Ltd, and is found by the form."""
    if (labelled := literal_label(text, tokens)) is not None:
        field, value = labelled
        if (typed := checked({field: value})) is not None:
            yield Reading(typed, (text,), literal=True)
        return
    for field in TEXT_FIELDS:
        if field in ("total_from", "total_to") or (field == "country" and country_code(text) is None):
            continue
        if field == "email" and "@" not in text:
            continue
        if field in ("phone", "vat_number") and (len(digits_of(text) or "") < 3):
            continue
        if field == "phone" and sum(map(str.isalpha, text)) > 4:
            continue
        if (typed := checked({field: text})) is not None and typed.filled():
            yield Reading(typed, (text,), literal=True)
