"""Where a text mentions a person, given the values that they are known by.

Values are found as whole words, whatever way they were written (`services.text.readings`). What is not found: a name in
another grammatical case or script, a nickname, a phone number with another country prefix, part of an address
that holds no number, and the contents of pictures and files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final

import regex

from services.text.keys import email_key
from services.text.readings import key_of, readings

Span = tuple[int, int]

# One character of a word, and what may be between the words of one value: punctuation, spaces, tags of HTML.
_WORD: Final = r"[\p{L}\p{M}\p{N}]"
_BETWEEN: Final = r"(?:<[^<>]{0,60}>|[^\p{L}\p{M}\p{N}<]){0,6}"
_BETWEEN_DIGITS: Final = r"[^\p{L}\p{M}\p{N}]{0,3}"
_WORDS: Final = regex.compile(rf"{_WORD}+")
# Scripts that put no spaces between words, in which a value's edge is nowhere to be seen.
_UNSPACED: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{2,}")
_EMAILS: Final = regex.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]*[^\s<>\"'(),;:\[\].!?]")
_NUMBERS: Final = regex.compile(r"\+?\p{Nd}(?:[\p{Nd}\s().\-/+\u00a0\u2010-\u2015])+\p{Nd}")
# More single names than this belong to several people, and are not put together to first and last names.
_MOST_NAMES: Final = 8


class Kind(StrEnum):
    """The kind of a value."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    COMPANY = "company"
    VAT = "vat"
    ADDRESS = "address"
    CARD = "card"
    CARD_DATE = "card date"


# The kinds that the database keeps digests of.
DIGESTED: Final = frozenset(Kind) - {Kind.CARD, Kind.CARD_DATE}


@dataclass(frozen=True, order=True, slots=True)
class Value:
    kind: Kind
    text: str


class Mentions:
    """A search for these values in texts.

    A strong value identifies a person anywhere; a first name or four digits count only in the person's own orders.
    """

    def __init__(self, values: Iterable[Value], *, strong_only: bool) -> None:
        ordered = sorted(set(values))
        strong = [pattern for value in ordered for pattern in _strong(value)]
        names = {key_of(value.text.strip()): value.text for value in ordered if value.kind is Kind.NAME}
        if 1 < len(names) <= _MOST_NAMES:
            strong += [
                _words_pattern(f"{first} {last}", fewest=5) for first, last in permutations(names.values(), 2)
            ]
        weak = [] if strong_only else [pattern for value in ordered for pattern in _weak(value)]
        patterns = sorted({pattern for pattern in strong + weak if pattern}, key=lambda p: (-len(p), p))
        self._pattern = regex.compile("|".join(patterns), regex.VERSION1) if patterns else None

    def spans(self, text: str | None) -> list[Span]:
        """The places of all mentions, in order, not touching each other."""
        if not text or self._pattern is None:
            return []
        spans = {
            reading.span(*match.span())
            for reading in readings(text)
            for match in self._pattern.finditer(reading.key)
            if match.end() > match.start()
        }
        return _merged(spans)

    def without(self, text: str) -> str:
        """The text with the word `deleted` in place of each mention."""
        for start, end in reversed(self.spans(text)):
            text = f"{text[:start]}deleted{text[end:]}"
        return text


def candidates(text: str | None, sizes: Iterable[tuple[Kind, int]]) -> Iterator[Value]:
    """The parts of the text that could be values of these kinds and numbers of words, to be compared by digest."""
    wanted = frozenset(sizes)
    kinds = {kind for kind, _ in wanted}
    for reading in readings(text or ""):
        key = reading.key
        if Kind.EMAIL in kinds:
            yield from (Value(Kind.EMAIL, match[0]) for match in _EMAILS.finditer(key))
        if Kind.PHONE in kinds:
            yield from (Value(Kind.PHONE, number) for number in _numbers(key))
        spans = [match.span() for match in _WORDS.finditer(key)]
        for kind, size in wanted - {(kind, 1) for kind in (Kind.EMAIL, Kind.PHONE)}:
            for first in range(len(spans) - size + 1):
                yield Value(kind, key[spans[first][0] : spans[first + size - 1][1]])


def _numbers(key: str) -> Iterator[str]:
    for match in _NUMBERS.finditer(key):
        groups = match[0].split()[:10]
        for start in range(len(groups)):
            for end in range(start + 1, len(groups) + 1):
                yield "".join(groups[start:end])


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _strong(value: Value) -> list[str]:
    match value.kind:
        case Kind.EMAIL:
            return _email(value.text)
        case Kind.PHONE:
            return [_number(value.text, fewest=7)]
        case Kind.VAT:
            return [_spaced_out(value.text, fewest=5)]
        case Kind.COMPANY:
            return [_words_pattern(value.text, fewest=8)]
        case Kind.ADDRESS:
            # A line of it with a number is where somebody lives as well.
            lines = [line for line in regex.split(r"[,;\n\r]", value.text) if regex.search(r"\p{N}", line)]
            return [
                _words_pattern(value.text, fewest=8),
                *(_words_pattern(line, fewest=8) for line in lines if " " in line.strip()),
            ]
    return []


def _weak(value: Value) -> list[str]:
    match value.kind:
        case Kind.PHONE:
            return [_number(value.text, fewest=2)]
        case Kind.CARD:
            return [_card(value.text)]
        case Kind.VAT:
            return [_spaced_out(value.text, fewest=2)]
        case Kind.EMAIL:
            return []
    return [_words_pattern(value.text, fewest=2)]


def email_forms(address: str) -> set[str]:
    """The address with its domain in each way of writing it: in letters, and as mail servers do (`xn--…`)."""
    key = email_key(address) or address
    local, at, domain = key.rpartition("@")
    labels = (
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in domain.split(".")
    )
    return {address, key, f"{local}{at}{'.'.join(labels)}"}


def _email(text: str) -> list[str]:
    forms = email_forms(text.strip())
    # What goes on before the address is another address; a sentence may go on right after it.
    keys = [regex.escape(key, literal_spaces=True) for form in forms if (key := key_of(form))]
    return [rf"(?<!{_WORD})(?<!{_WORD}[.+_-]){key}(?!{_WORD})(?!-{_WORD})" for key in keys]


def _number(text: str, *, fewest: int) -> str:
    digits = regex.sub(r"\D", "", key_of(text))
    if len(digits) < fewest:
        return ""
    return rf"(?<!\p{{Nd}})(?:\+|00)?{_BETWEEN_DIGITS.join(digits)}(?!\p{{Nd}})"


def _card(text: str) -> str:
    digits = regex.sub(r"\D", "", key_of(text))
    # What looks like a year needs the stars of a card before it.
    before = r"(?<=[*•·x]\s?)" if regex.match(r"19|20", digits) else r"(?<![\p{Nd}./:-])"
    return rf"{before}{digits}(?!\p{{Nd}}|[./:-]\p{{Nd}})" if digits else ""


def _spaced_out(text: str, *, fewest: int) -> str:
    characters = "".join(_WORDS.findall(key_of(text)))
    if len(characters) < fewest:
        return ""
    return rf"(?<!{_WORD}){_BETWEEN_DIGITS.join(map(regex.escape, characters))}(?!{_WORD})"


def _words_pattern(text: str, *, fewest: int) -> str:
    parts = _WORDS.findall(key_of(text))
    together = "".join(parts)
    pattern = _BETWEEN.join(map(regex.escape, parts))
    if _UNSPACED.fullmatch(together):
        return pattern
    if len(together) < fewest:
        return ""
    return rf"(?<!{_WORD}){pattern}(?!{_WORD})"
