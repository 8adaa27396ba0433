"""Order documents, the form in which orders arrive: one JSON document per line (docs/order-document.md).

`parse_order` checks a line and turns it into plain values; `iter_lines` reads a file of any size line by line.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NoReturn

from services.errors import InvalidInput
from services.importing.models import OrderDocument
from services.importing.objects import refuse_unstorable
from services.importing.readers import read_order
from services.importing.refusals import JsonObject, WrongField, quote

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
# Only an escape can bring U+0000 or half of a surrogate pair into a string, so a line without one needs no look at
# each character. (A whole pair matches too, and then passes that look.)
_UNSTORABLE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])").search


class ImportLineError(InvalidInput):
    """A line that cannot be imported: its number in the file, the path of the field, and why in one sentence.

    `field` is None when the line as a whole cannot be read.
    """

    def __init__(self, line: int, field: str | None, reason: str) -> None:
        position = f"Line {line:,}, {field}" if field else f"Line {line:,}"
        super().__init__(f"{position}: {reason}", field=field)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """An order document after its checks.

    `content_hash` is the SHA-256 (32 bytes) of what it says: the same for the same known fields and values in any order
    of keys and with any spacing, and untouched by unknown keys and by personal data that was dropped. It compares
    values as they were written: `"1.0"` and `"1.00"` differ, and so do a null and an absent field.
    `warnings` are the paths of the unknown keys, such as `items[0].colour`.
    """

    order: OrderDocument
    content_hash: bytes
    warnings: tuple[str, ...]


def iter_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, without blank ones; one at a time is in memory.

    Raises `ImportLineError` for a line over 32 MB, before reading all of it.
    """
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise ImportLineError(
                number, None, f"The line is over {MAX_LINE_BYTES >> 20} MB, the most that is accepted."
            )
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            yield number, line


def parse_order(line: str | bytes, number: int) -> ParsedOrder:
    """Read and check one order document; `number` is that of its line, for errors.

    Raises `ImportLineError`, and nothing else, for all that the form of the order document does not allow.
    Personal data of an erased customer (payment card included) or licence user is dropped without being looked at.
    """
    text = _text(line, number)
    unknown: list[str] = []
    try:
        source = _load(text)
        order = read_order(source, unknown)
        if _UNSTORABLE(text):
            refuse_unstorable(source, "")
    except WrongField as error:
        raise ImportLineError(number, error.field or None, error.reason) from None
    # What was unknown or erased is no longer in `source`.
    return ParsedOrder(order, hashlib.sha256(_encode(source).encode()).digest(), tuple(unknown))


def _text(line: str | bytes, number: int) -> str:
    """The line without a byte order mark. Raises `ImportLineError` for half of a surrogate pair, as decoding does."""
    try:
        if isinstance(line, bytes):
            text = line.decode()
        else:
            text = line
            text.encode()
    except UnicodeError:
        raise ImportLineError(number, None, "The line is not text in UTF-8.") from None
    return text.removeprefix(_BOM) if number == 1 else text


def _load(text: str) -> JsonObject:
    try:
        source = _decode(text)
    except json.JSONDecodeError as error:
        reason = f"The line is not a valid JSON document; it cannot be understood from character {error.pos + 1:,} on."
        raise WrongField("", reason) from None
    except (ValueError, RecursionError):
        raise WrongField("", "The line has a number that is too long or is nested too deeply.") from None
    if type(source) is not dict:
        raise WrongField("", "The line is not an order document: an object is expected.")
    return source


def _without_repeats(pairs: list[tuple[str, Any]]) -> JsonObject:  # Any: values of JSON, not checked yet
    source = dict(pairs)
    if len(source) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise WrongField("", f"The field {quote(key)} occurs twice in the same object.")
            seen.add(key)
    return source


def _refuse_constant(constant: str) -> NoReturn:
    raise WrongField("", f"The line has {constant} where a number belongs.")


# Made once; `json.loads` and `json.dumps` with these options would make them anew for each line.
_decode: Final = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant).decode
_encode: Final = json.JSONEncoder(sort_keys=True, check_circular=False).encode
