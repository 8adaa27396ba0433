"""A text cut into tokens: at white space, at commas and the like; what is in quotes is one token."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from services.text.keys import ascii_digits, search_key, strip_edges

# Longer texts are read as a list of order numbers, and as nothing else.
LONGEST: Final = 500
_QUOTES: Final = {'"': '"', "“": "”", "„": "“”", "«": "»", "‟": "”", "「": "」", "『": "』"}
_SEPARATORS: Final = ",;،؛、，；|｜\n\r"
# A comma between the digits of an amount (49,90 and 1,234.50) separates nothing.
_AMOUNT: Final = (
    r"[^\s\d,]{0,4}[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])[^\s,]*|[^\s\d,]{0,4}[0-9]+,[0-9]{2}(?![0-9,])[^\s,]*"
)
_PIECE: Final = re.compile(rf"{_AMOUNT}|[^\s{_SEPARATORS}]+|[{_SEPARATORS}]")
# Punctuation of a sentence or a bracket around a token says nothing about it; a bracket opens a phone number, though,
# and a dot may end a day (03.11.) or a legal form (Inc.).
_TRAILING: Final = "!?…:：=\"'”’»」』"
_LEADING: Final = "\"'“‘„«「『¿¡"
_COLON: Final = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)?)([:：=])(\S+)")


@dataclass(frozen=True, slots=True)
class Token:
    """`key` is the text without case and with digits as 0-9, for comparisons; `start` and `end` are in the text.

    `breaks` says that a comma, semicolon or line break follows, `colon` that a colon does. `raw` has the quotes.
    """

    text: str
    key: str
    start: int
    end: int
    breaks: bool = False
    colon: bool = False
    quoted: bool = False
    raw: str = ""

    @property
    def written(self) -> str:
        """The token with its quotes, as it was typed."""
        return self.raw or self.text


def cleaned(text: str) -> str:
    """The text without characters that nobody sees or can search for: controls, direction marks, halves of pairs.

    Line breaks stay, other white space becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    return strip_edges("".join(map(_visible, text)))


def _visible(character: str) -> str:
    if character in "\n\r":
        return "\n"
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cs"):
        return " "
    # Joiners are part of words in Persian and of emoji; the other invisible ones only surround what was copied.
    return "" if category == "Cf" and character not in "\u200c\u200d" else character


def tokens_of(text: str) -> list[Token]:
    """The tokens of a cleaned text."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if (quoted := _quoted(text, position)) is not None:
            tokens.append(quoted)
            position = quoted.end + 1
            continue
        match = _PIECE.match(text, position)
        if match is None:
            position += 1
            continue
        position = match.end()
        if match[0] in _SEPARATORS:
            _mark(tokens, breaks=True)
        elif match[0] in ":：=":
            _mark(tokens, colon=True)
        else:
            tokens += _split(match[0], match.start())
    return tokens


def _mark(tokens: list[Token], *, breaks: bool = False, colon: bool = False) -> None:
    if tokens:
        last = tokens[-1]
        tokens[-1] = replace(last, breaks=last.breaks or breaks, colon=last.colon or colon)


def _quoted(text: str, start: int) -> Token | None:
    closing = _QUOTES.get(text[start])
    if closing is None:
        return None
    end = min((at for mark in closing if (at := text.find(mark, start + 1)) > 0), default=-1)
    inner = text[start + 1 : end] if end > 0 else ""
    value = strip_edges(inner)
    if not value or "\n" in inner:
        return None
    return Token(value, _key(value), start, end, quoted=True, raw=text[start : end + 1])


def _split(raw: str, start: int) -> list[Token]:
    """The token of a piece without a space, or two when a label and its value stand together (email:x)."""
    if (labelled := _COLON.fullmatch(raw)) and not labelled[3].startswith("//"):
        label, _, value = labelled.groups()
        if label.lower() == "mailto":
            return _token(value, start + labelled.start(3))
        return [*_token(label, start, colon=True), *_token(value, start + labelled.start(3))]
    return _token(raw, start)


def _token(raw: str, start: int, *, colon: bool = False) -> list[Token]:
    text = raw.lstrip(_LEADING)
    start += len(raw) - len(text)
    bare = text.rstrip(_TRAILING)
    colon = colon or any(mark in text[len(bare) :] for mark in ":：=")
    if bare.startswith("(") and bare.endswith(")") and not any(c.isdigit() for c in bare):
        bare, start = bare[1:-1], start + 1
    if bare.endswith("..") or (
        bare.endswith(".") and len(bare) > 1 and bare[:-1].isalpha() and len(bare) > 6
    ):
        bare = bare.rstrip(".")
    if not bare:
        return (
            [Token(raw, "", start, start + len(raw), colon=colon)] if raw.strip(_TRAILING + _LEADING) else []
        )
    return [Token(bare, _key(bare), start, start + len(bare), colon=colon)]


def _key(text: str) -> str:
    return ascii_digits(search_key(text) or "")
