"""Texts as a reader sees them: decoded, every letter in a single form, every character tied to its position.

A match in a reading can be cut out of the text itself, in whichever way it is written there: in capitals, with
combining marks, full-width, in the digits of another script, or escaped for HTML, an address or a mail.
"""

import html
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import unquote_to_bytes

import regex

from services.text.keys import ascii_digits, search_key

# Sequences that stand for other characters: &amp; &#233; %C3%A9 =C3=A9 \u00e9, and the line ends of quoted-printable.
_ESCAPED: Final = regex.compile(
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|(?:%[0-9A-Fa-f]{2})+|(?:=[0-9A-F]{2})+|=\r?\n"
    r"|(?:\\u[0-9A-Fa-f]{4})+"
)
_CLUSTER: Final = regex.compile(r"\X")
# Invisible characters. They may occur inside a value as well as at its edge.
_INVISIBLE: Final = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}\u115f\u1160\u3164]")
_MOST_LAYERS: Final = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """`key` is the text to search; its character number `i` comes from `starts[i]:ends[i]` of the original. Both are
    None where every character of the key has the same position in the original.
    """

    key: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text of `key[start:end]`, which must not be empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def key_of(value: str) -> str:
    """The value in the form that readings have: without differences of compatibility forms, letter case and digits, and
    without invisible characters.
    """
    return _reading(value, None, keeps_edges=False).key


def readings(text: str) -> Iterator[Reading]:
    """The text as it is, then with each layer of escapes decoded. A text with invisible characters is read once without
    them and once with a space for each, since one may separate a value from its neighbour.
    """
    places: list[tuple[int, int]] | None = None
    for _ in range(_MOST_LAYERS):
        yield _reading(text, places, keeps_edges=False)
        if not text.isascii() and _INVISIBLE.search(text):
            yield _reading(text, places, keeps_edges=True)
        decoded = _decoded(text, places)
        if decoded is None:
            return
        text, places = decoded


def _decoded(text: str, places: list[tuple[int, int]] | None) -> tuple[str, list[tuple[int, int]]] | None:
    characters: list[str] = []
    spans: list[tuple[int, int]] = []
    at, changed = 0, False

    def take(start: int, end: int) -> None:
        characters.append(text[start:end])
        spans.extend(places[start:end] if places else ((n, n + 1) for n in range(start, end)))

    for match in _ESCAPED.finditer(text):
        meant = _meant(match[0])
        if meant == match[0]:
            continue
        take(at, match.start())
        start, end = match.span()
        whole = (places[start][0], places[end - 1][1]) if places else (start, end)
        characters.append(meant)
        spans.extend([whole] * len(meant))
        at, changed = end, True
    if not changed:
        return None
    take(at, len(text))
    return "".join(characters), spans


def _meant(escaped: str) -> str:
    if escaped[0] == "&":
        return html.unescape(escaped)
    if escaped[0] == "\\":
        units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in escaped.split("\\u")[1:])
        return units.decode("utf-16-be", "replace")
    if escaped[1] in "\r\n":
        return ""
    octets = unquote_to_bytes(escaped.replace("=", "%"))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _reading(text: str, places: list[tuple[int, int]] | None, *, keeps_edges: bool) -> Reading:
    if unicodedata.is_normalized("NFC", text):
        keys = [_character(character) for character in text]
        if not keeps_edges and all(len(key) == 1 for key in keys):
            starts, ends = zip(*places, strict=True) if places else (None, None)
            return Reading("".join(keys), starts, ends)
        clusters = ((match[0], match.start(), match.end()) for match in regex.finditer(r"(?s).", text))
    else:
        clusters = ((match[0], match.start(), match.end()) for match in _CLUSTER.finditer(text))
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    for cluster, start, end in clusters:
        key = _character(cluster)
        if not key and keeps_edges:
            key = " "
        parts.append(key)
        span = (places[start][0], places[end - 1][1]) if places else (start, end)
        spans.extend([span] * len(key))
    starts, ends = zip(*spans, strict=True) if spans else ((), ())
    return Reading("".join(parts), starts, ends)


@cache
def _character(cluster: str) -> str:
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", cluster))
    # Texts that are equal for searches are equal here, and so are compatibility forms. The dots protect the edges of
    # the search key.
    folded = search_key(f".{visible}.") or ""
    again = unicodedata.normalize("NFKC", folded[1:-1].upper().casefold()).replace("i\u0307", "i")
    return ascii_digits((search_key(f".{again}.") or "..")[1:-1])
