"""Order documents: the form in which orders arrive, one JSON document a line.

`parse_order` checks a line and turns it into plain values; `iter_lines` reads a file of any size line by line.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NoReturn

from services.errors import InvalidInput
from services.importing import fields as f
from services.importing import groups as g
from services.importing.fields import Fields, WrongField
from services.importing.models import OrderDocument
from services.importing.readers import read_order

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
# Only an escape can bring U+0000 or half of a surrogate pair into a text, so a line without one needs no look at
# each character. (A whole pair matches too, and is then found to be fine.)
_UNSTORABLE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])").search


class ImportLineError(InvalidInput):
    """A line that cannot be imported: its number in the file, the path of the field, and why in one sentence.

    `field` is None when the line as a whole cannot be read.
    """

    def __init__(self, line: int, field: str | None, reason: str) -> None:
        place = f"Line {line:,}, {field}" if field else f"Line {line:,}"
        super().__init__(f"{place}: {reason}", field=field)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """A document that was read.

    `content_hash` is the SHA-256 (32 bytes) of what it says: the same for the same known fields and values in any order
    of keys and with any spacing, and untouched by unknown keys and by personal data that was dropped. It compares
    values as they were written: `"1.0"` and `"1.00"` differ, and so do a null and an absent field.
    `warnings` are the paths of the unknown keys, such as `items[0].colour`.
    """

    order: OrderDocument
    content_hash: bytes
    warnings: tuple[str, ...]


def iter_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, blank ones left out, one in memory at a time.

    Raises `ImportLineError` for a line over 32 MB, before reading it whole.
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
    """Reads one order document; `number` is that of the line, for errors.

    Raises `ImportLineError` for anything that the form of the order document does not allow, and nothing else.
    Personal data of an erased customer (payment card included) or licence user is dropped without a look at it.
    """
    try:
        if isinstance(line, bytes):
            source = line.decode()
        else:
            source = line
            source.encode()  # refuses half of a surrogate pair, as decoding does
    except UnicodeError:
        raise ImportLineError(number, None, "The line is not text in UTF-8.") from None
    if number == 1:
        source = source.removeprefix(_BOM)
    unknown: list[str] = []
    try:
        fields = _load(source)
        order = read_order(fields, unknown)
        if _UNSTORABLE(source):
            g.refuse_unstorable(fields, "")
    except WrongField as error:
        raise ImportLineError(number, error.field or None, error.reason) from None
    # What was unknown or erased is no longer in `fields`.
    return ParsedOrder(order, hashlib.sha256(_encode(fields).encode()).digest(), tuple(unknown))


def _load(source: str) -> Fields:
    try:
        fields = _decode(source)
    except json.JSONDecodeError as error:
        reason = f"The line is not a valid JSON document; it cannot be understood from character {error.pos + 1:,} on."
        raise WrongField("", reason) from None
    except (ValueError, RecursionError):
        raise WrongField("", "The line has a number that is too long or is nested too deeply.") from None
    if type(fields) is not dict:
        raise WrongField("", "The line is not an order document: an object is expected.")
    return fields


def _without_repeats(pairs: list[tuple[str, Any]]) -> Fields:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise WrongField("", f"The field {f.quote(repeated)} stands twice in the same group of fields.")
    return fields


def _refuse_constant(constant: str) -> NoReturn:
    raise WrongField("", f"The line has {constant} where a number belongs.")


# Made once: what `json.loads` and `json.dumps` would make anew for every line.
_decode: Final = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant).decode
_encode: Final = json.JSONEncoder(sort_keys=True, check_circular=False).encode
