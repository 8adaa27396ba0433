"""Totals with their currency ("49 EUR", "€49", "over 100 USD"), currencies, and countries."""

import re
from dataclasses import dataclass
from typing import Final

from services.countries import country_code
from services.money import currencies
from services.recognition.pieces import Meaning, Piece
from services.recognition.tokens import Token
from services.recognition.words import words_of

# A sign that several currencies have means the likeliest of them first.
_SIGNS: Final = {
    "€": ("EUR",), "£": ("GBP",), "$": ("USD", "CAD", "AUD"), "us$": ("USD",), "¥": ("JPY", "CNY"), "₽": ("RUB",),
    "₹": ("INR",), "₩": ("KRW",), "₺": ("TRY",), "₴": ("UAH",), "₪": ("ILS",), "zł": ("PLN",), "kč": ("CZK",),
    "r$": ("BRL",), "元": ("CNY",), "円": ("JPY",), "руб": ("RUB",), "руб.": ("RUB",), "ft": ("HUF",),
    "euro": ("EUR",), "euros": ("EUR",), "dollars": ("USD",), "dollar": ("USD",), "pounds": ("GBP",), "yen": ("JPY",),
}  # fmt: skip
_CODES: Final = frozenset(code.lower() for code in currencies())
_NUMBER: Final = re.compile(r"[0-9][0-9.,'’]*")
_LEXEME: Final = re.compile(r"[0-9][0-9.,'’]*|[-–—]|[^\s0-9–—-]+")
_OVER: Final = frozenset({"over", "above", "from", "min", "minimum", ">", "ab", "über", "mehr"})
_UNDER: Final = frozenset({"under", "below", "max", "maximum", "<", "unter", "bis"})
_DASHES: Final = frozenset({"-", "–", "—", "to", "and", "bis"})
_TOTAL: Final = words_of("total amount sum price totals")
_ORIGIN: Final = words_of("from in country aus de из country: pays land país страна")


@dataclass(frozen=True, slots=True)
class _Lexeme:
    """A number, a sign or a word: `after` is the position after its token, if it ends there, else None."""

    key: str
    after: int | None


@dataclass(frozen=True, slots=True)
class _Money:
    """An amount, what its currency can be, and the number of lexemes that it takes."""

    amount: str
    codes: tuple[str, ...]
    length: int


def amount_at(tokens: list[Token], start: int) -> Piece | None:
    """A total, from one, up to one, or between two, each with its currency; a currency alone in capitals.

    A bound without a currency cannot be placed: totals of different currencies are not compared.
    """
    at = start
    while at < len(tokens) and tokens[at].key in _TOTAL:
        at += 1
    bound, at = _bound(tokens, at)
    lexemes = _lexemes(tokens, at)
    money = _money(lexemes)
    if money is None:
        is_code = at == start and tokens[at].text.isupper() and tokens[at].key in _CODES
        return _piece(tokens, start, at + 1, Meaning({"currency": tokens[at].text})) if is_code else None
    amounts, codes, length = [money.amount], money.codes, money.length
    if bound != "to" and length < len(lexemes) and lexemes[length].key in _DASHES:
        last = _money(lexemes[length + 1 :])
        if last is not None and (codes or last.codes):
            amounts.append(last.amount)
            codes, bound, length = last.codes or codes, "", length + 1 + last.length
    after = lexemes[length - 1].after
    if after is None:
        return None
    if not codes:
        return _piece(tokens, start, after) if at > start and tokens[start].key != "from" else None
    values = {"total_from": amounts[0], "total_to": amounts[-1]}
    fields = {name: value for name, value in values.items() if bound in ("", name.removeprefix("total_"))}
    return _piece(
        tokens, start, after, *(Meaning({"currency": c, **fields}, rank) for rank, c in enumerate(codes))
    )


def country_at(tokens: list[Token], start: int) -> Piece | None:
    """A country behind "country", "from" or "in"; in its two letters only as capitals."""
    if tokens[start].key not in _ORIGIN:
        return None
    for end in range(min(start + 6, len(tokens)), start + 1, -1):
        text = " ".join(token.text for token in tokens[start + 1 : end]).removeprefix("the ")
        code = country_code(text)
        if code is not None and (len(text) > 3 or text.isupper()):
            if end < len(tokens) and tokens[end].text == code:  # Germany (DE), as a chip has it
                end += 1
            return _piece(tokens, start, end, Meaning({"country": code}))
    return None


def _bound(tokens: list[Token], at: int) -> tuple[str, int]:
    """Whether what follows is the lowest total ("from"), the highest ("to") or both (""), and where it begins."""
    words = [token.key for token in tokens[at : at + 2]]
    if words in (["more", "than"], ["at", "least"]):
        return "from", at + 2
    if words in (["less", "than"], ["at", "most"], ["up", "to"]):
        return "to", at + 2
    if words and words[0] in _OVER:
        return "from", at + 1
    if words and words[0] in _UNDER:
        return "to", at + 1
    return "", at + (words[:1] == ["between"])


def _money(lexemes: list[_Lexeme]) -> _Money | None:
    """The amount at the beginning, with the currency before or after it, if there is one."""
    keys = [lexeme.key for lexeme in lexemes[:2]]
    if len(keys) == 2 and (codes := _currencies(keys[0])) and _NUMBER.fullmatch(keys[1]):
        return _Money(keys[1].rstrip(".,"), codes, 2)
    if not keys or not _NUMBER.fullmatch(keys[0]):
        return None
    codes = _currencies(keys[1]) if len(keys) == 2 else ()
    return _Money(keys[0].rstrip(".,"), codes, 2 if codes else 1)


def _lexemes(tokens: list[Token], at: int) -> list[_Lexeme]:
    lexemes: list[_Lexeme] = []
    for number, token in enumerate(tokens[at : at + 6], at + 1):
        if token.quoted or len(token.key) > 40:
            break
        parts = _LEXEME.findall(token.key)
        lexemes += [_Lexeme(part, number if n == len(parts) else None) for n, part in enumerate(parts, 1)]
        if token.breaks:
            break
    return lexemes


def _currencies(key: str) -> tuple[str, ...]:
    if key in _CODES:
        return (key.upper(),)
    return _SIGNS.get(key, ())


def _piece(tokens: list[Token], start: int, end: int, *meanings: Meaning) -> Piece:
    text = " ".join(token.text for token in tokens[start:end])
    return Piece(text, tuple(range(start, end)), meanings, labelled=True)
