"""A text cut into pieces: at each token the longest or likeliest thing that begins there."""

from collections.abc import Iterator
from typing import Final

from services.recognition.amounts import amount_at, country_at
from services.recognition.calendar_names import months
from services.recognition.context import Context
from services.recognition.labels import labelled_at, stops_at, store_at
from services.recognition.names import company_at, name_piece
from services.recognition.periods import period_at
from services.recognition.phones import phone_at
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.readings import checked
from services.recognition.shapes import card_at, email_at, shape_at
from services.recognition.tokens import Token
from services.recognition.vocabulary import (
    CANCELLED,
    CONNECTING,
    NEGATIONS,
    STATUSES,
    STRAY_NEGATIONS,
    TITLES,
    longest_phrase,
)
from services.text.keys import digits_of

# A word that mostly connects others may be part of the name in a text of so few tokens: an nguyen.
_FEW: Final = 3


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
