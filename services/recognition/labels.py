"""Labels before a value: "email: x", "card ending in 4242", "order 1001", "company Acme"."""

import re
from collections.abc import Callable
from typing import Final

from services.access import Store
from services.orders.filters import TEXT_FIELDS
from services.recognition.context import Context
from services.recognition.names import is_legal_form, name_meanings
from services.recognition.periods import period_at
from services.recognition.phones import written
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.shapes import card_at, email_at
from services.recognition.tokens import Token
from services.recognition.vocabulary import (
    COLON_ONLY,
    CONNECTING,
    LABELS,
    NAME,
    STATUSES,
    STORE,
    longest_phrase,
)
from services.recognition.words import words_of
from services.text.keys import search_key

_FILLING: Final = words_of(
    "is are was = # no no. nr nr. № number starting starts begins beginning with containing contains like"
    " in ending ends id"
)
_PHONE: Final = re.compile(r"[+(]?[0-9()./–\- +]+")
_LONGEST: Final = 8


def labelled_at(tokens: list[Token], start: int, context: Context) -> Piece | None:
    """A label and the value that follows it; None where the words are no label, or nothing that fits follows."""
    label = longest_phrase(LABELS, tokens, start)
    if label is None or tokens[start].quoted:
        return None
    length, field = label
    last = tokens[start + length - 1]
    phrase = tuple(token.key.rstrip(".") for token in tokens[start : start + length])
    if (last.breaks and not last.colon) or (phrase in COLON_ONLY and not last.colon):
        return None
    first = start + length
    while first < len(tokens) and tokens[first].key in _FILLING and not tokens[first].quoted:
        first += 1
    if first >= len(tokens):
        return None
    if field == NAME:
        return _name(tokens, start, first, context)
    if field == STORE:
        return _store(tokens, start, first, context, has_colon=last.colon)
    if field in _VALUES:
        value = _VALUES[field](tokens, first, context, last.colon)
    else:
        value = _free_text(tokens, first, context, field, last.colon)
    if value is None:
        return None
    end, text = value
    return _piece(tokens, start, end, Meaning({field: text}))


def literal_label(text: str, tokens: list[Token]) -> tuple[str, str] | None:
    """The field and the whole rest of a text that begins with a label and a colon, as the chips of a search do."""
    label = longest_phrase(LABELS, tokens, 0) if tokens else None
    if label is None or label[1] not in TEXT_FIELDS or not tokens[label[0] - 1].colon:
        return None
    rest = text[tokens[label[0] - 1].end :].lstrip(" :：=")
    return (label[1], rest) if rest else None


def store_at(tokens: list[Token], start: int, context: Context) -> Piece | None:
    """A store by its technical name or its title; the longest that matches."""
    best: tuple[int, Store] | None = None
    for store in context.stores:
        for name in filter(None, (store.name, store.title)):
            words = (search_key(name) or "").split()
            keys = [token.key for token in tokens[start : start + len(words)]]
            is_whole = keys == words or (len(tokens) > start and tokens[start].key == " ".join(words))
            if words and is_whole and (best is None or len(words) > best[0]):
                best = (len(words) if keys == words else 1, store)
    if best is None:
        return None
    return _piece(tokens, start, start + best[0], Meaning({"stores": (best[1].name,)}))


def stops_at(tokens: list[Token], at: int, context: Context) -> bool:
    """Whether something begins here that ends the value of a label before it."""
    if "@" in tokens[at].text or longest_phrase(STATUSES, tokens, at) is not None:
        return True
    label = longest_phrase(LABELS, tokens, at)
    if label is not None and tokens[at + label[0] - 1].colon:
        return True
    return period_at(tokens, at, context, names=True) is not None


def _piece(tokens: list[Token], start: int, end: int, *meanings: Meaning, kind: Kind = Kind.VALUE) -> Piece:
    text = " ".join(token.text for token in tokens[start:end])
    return Piece(text, tuple(range(start, end)), meanings, kind, labelled=True)


def _store(tokens: list[Token], start: int, first: int, context: Context, *, has_colon: bool) -> Piece | None:
    store = store_at(tokens, first, context)
    if store is not None:
        return _piece(tokens, start, store.positions[-1] + 1, *store.meanings)
    # It is none of the viewer's, or none at all: both are answered alike.
    return _piece(tokens, start, first + 1, kind=Kind.UNPLACED) if has_colon else None


def _name(tokens: list[Token], start: int, first: int, context: Context) -> Piece | None:
    value = _words(tokens, first, context, most=4)
    if value is None:
        return None
    words = [token.text for token in tokens[first:value]]
    return _piece(tokens, start, value, *name_meanings(words), kind=Kind.NAME)


def _words(tokens: list[Token], first: int, context: Context, *, most: int) -> int | None:
    """The position after the words that belong to the label: up to a comma or to something else."""
    end = first
    while end < len(tokens) and end - first < most:
        if end > first and tokens[end - 1].breaks and not is_legal_form(tokens[end]):
            break
        if end > first and stops_at(tokens, end, context):
            break
        end += 1
    return end if end > first else None


def _free_text(
    tokens: list[Token], first: int, context: Context, field: str, has_colon: bool
) -> tuple[int, str] | None:
    """A name or a company. Without a colon it is a word, or for a company all that follows."""
    if not has_colon and (tokens[first].key in CONNECTING or stops_at(tokens, first, context)):
        return None
    most = _LONGEST if has_colon or field in ("company", "product") else 1
    end = _words(tokens, first, context, most=most)
    if end is None:
        return None
    comma = ["," if token.breaks and field == "company" else "" for token in tokens[first:end]]
    return end, " ".join(t.text + c for t, c in zip(tokens[first:end], comma, strict=True)).rstrip(",")


def _orders(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    end = first
    while end < len(tokens) and _is_order(tokens[end]):
        period = None if has_colon and end == first else period_at(tokens, end, context, names=True)
        if period is not None:
            break
        end += 1
    return (end, " ".join(token.text for token in tokens[first:end])) if end > first else None


def _is_order(token: Token) -> bool:
    return any("0" <= c <= "9" for c in token.key) and "@" not in token.key


def _card(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    if (piece := card_at(tokens, first)) is not None:
        return piece.positions[-1] + 1, str(piece.meanings[0].fields["card_last_4"])
    return (first + 1, tokens[first].key) if re.fullmatch("[0-9]{4}", tokens[first].key) else None


def _phone(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    end = first
    while end < len(tokens) and end - first < _LONGEST and _PHONE.fullmatch(tokens[end].key):
        end += 1
        if tokens[end - 1].breaks:
            break
    text = written(tokens, first, end)
    if sum(c.isdigit() for c in text) < 3:
        return None
    return end, " ".join(token.text for token in tokens[first:end])


def _email(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    piece = email_at(tokens, first)
    if piece is not None:
        return first + 1, str(piece.meanings[0].fields["email"])
    return (first + 1, tokens[first].text) if "@" in tokens[first].text and has_colon else None


def _code(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    token = tokens[first]
    is_code = any(not c.isalpha() for c in token.text) or token.text.isupper() or token.quoted
    if len(token.text) < 3 or "@" in token.text or not (has_colon or is_code):
        return None
    if not has_colon and period_at(tokens, first, context, names=True) is not None:
        return None
    return first + 1, token.text


def _vat(tokens: list[Token], first: int, context: Context, has_colon: bool) -> tuple[int, str] | None:
    end = first + (tokens[first].key.isalpha() and len(tokens[first].key) == 2)
    while end < len(tokens) and end - first < 5 and _is_order(tokens[end]):
        end += 1
        if tokens[end - 1].breaks:
            break
    text = " ".join(token.text for token in tokens[first:end])
    return (end, text) if any(map(str.isdigit, text)) else None


_Value = Callable[[list[Token], int, Context, bool], tuple[int, str] | None]
_VALUES: Final[dict[str, _Value]] = {
    "order_ids": _orders,
    "card_last_4": _card,
    "phone": _phone,
    "email": _email,
    "activation_code": _code,
    "vat_number": _vat,
}
