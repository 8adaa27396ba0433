"""Single values that are known by their shape: order numbers, cards, VAT numbers, activation codes, e-mails."""

import re
from datetime import date
from typing import Final

from services.recognition.context import Context
from services.recognition.phones import is_valid
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.spans import Span, year_span
from services.recognition.tokens import Token
from services.text.fields import FieldError
from services.text.keys import ascii_digits
from services.time_zones import parse_day

EMAIL: Final = re.compile(r"(?:mailto:)?[<(\[]*([^\s@<>()\[\]]+@[^\s@<>()\[\]]+?)[>)\].]*")
_CERTAIN_ORDER: Final = re.compile(r"(?:#|№|n°)\s*[^\s]*[0-9][^\s]*|[a-z][0-9]{9,18}")
_ORDER: Final = re.compile(r"[a-z]{1,10}[-_#.]?[0-9]{3,18}|[a-z]{1,10}(?:[-_/.][0-9]+){1,4}")
_NUMBERS: Final = re.compile(r"[0-9]+(?:[-/][0-9]+)+")
_CLOCK: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:am|pm)?")
_AMOUNT: Final = re.compile(r"[-+]?[0-9]+(?:[.,'’][0-9]+)*[.,][0-9]+|[0-9]+%")
_CODE: Final = re.compile(r"[0-9a-z]{4,8}(?:-[0-9a-z]{4,8})+")
_GROUPS: Final = re.compile(r"([0-9a-z]{3,8})(?:-[0-9a-z]{3,8})+")
# Two letters of a country before eight to twelve digits or letters (VIES; also GB, CH, NO and the tax IDs of others).
_VAT: Final = re.compile(
    r"(?:at|be|bg|cy|cz|de|dk|ee|el|es|fi|fr|gb|hr|hu|ie|it|lt|lu|lv|mt|nl|pl|pt|ro|se|si|sk|xi|ch|no|ru|br|tr|ua|in|au)"
    r"[-. ]?[0-9a-z]{2,4}[0-9a-z.\- ]{4,11}"
)
_SWISS_VAT: Final = re.compile(r"che-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}")
_SPANISH_VAT: Final = re.compile(r"[a-hj-np-suvw][0-9]{7}[0-9a-j]")
_MASK: Final = re.compile(r"[*•·x.●∗-]{2,}|…")
_MASKED: Final = re.compile(r"(?:[*•·x.●∗][*•·x.●∗-]+|…)([0-9]{4})")


def email_at(tokens: list[Token], start: int) -> Piece | None:
    token = tokens[start]
    match = EMAIL.fullmatch(token.text) if "@" in token.text else None
    if match is None:
        return None
    return Piece(token.text, (start,), (Meaning({"email": match[1]}),))


def card_at(tokens: list[Token], start: int) -> Piece | None:
    """A card number of which only the last four digits are taken: masked, or whole with a right check digit."""
    key = tokens[start].key
    if masked := _MASKED.fullmatch(key):
        return _card(tokens, start, start + 1, masked[1])
    end = start
    while end < len(tokens) and _MASK.fullmatch(tokens[end].key):
        end += 1
    if start < end < len(tokens) and re.fullmatch("[0-9]{4}", tokens[end].key):
        return _card(tokens, start, end + 1, tokens[end].key)
    digits = ""
    for end in range(start + 1, min(start + 5, len(tokens)) + 1):
        key = tokens[end - 1].key
        if not re.fullmatch("[0-9]{4,6}(?:-[0-9]{4,6})*|[0-9]{13,19}", key):
            return None
        digits += key.replace("-", "")
        if len(digits) >= 13 and _has_check_digit(digits):
            rival = [Meaning({"order_ids": key}, 1)] if end == start + 1 and key.isdecimal() else []
            return _card(tokens, start, end, digits[-4:], *rival)
    return None


def _card(tokens: list[Token], start: int, end: int, digits: str, *rivals: Meaning) -> Piece:
    text = " ".join(token.text for token in tokens[start:end])
    return Piece(text, tuple(range(start, end)), (Meaning({"card_last_4": digits}), *rivals))


def _has_check_digit(digits: str) -> bool:
    """Luhn's sum. Order numbers have it one time in ten, so that both are offered."""
    if len(digits) > 19 or digits[0] not in "23456":
        return False
    doubled = [int(d) * (2 - (n % 2 == 0)) for n, d in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def shape_at(tokens: list[Token], start: int, context: Context) -> Piece | None:
    """A token with digits, and the fields that it can belong to."""
    token = tokens[start]
    if "@" in token.text or _CLOCK.fullmatch(token.key):
        return Piece(token.text, (start,), (), Kind.UNPLACED)
    if (vat := _spaced_vat(tokens, start)) is not None:
        return vat
    if token.quoted or not any("0" <= c <= "9" for c in token.key):
        return None
    ranked = _ranked(token.key, context)
    if not ranked:
        return Piece(token.text, (start,), (), Kind.UNPLACED)
    bare = token.text.strip("()[]{}<>").rstrip(".")
    meanings = [Meaning(_fields(field, bare, value), rank) for field, value, rank in ranked]
    return Piece(token.text, (start,), tuple(meanings))


def _spaced_vat(tokens: list[Token], start: int) -> Piece | None:
    """The letters of a country before groups of digits: DE 123 456 789."""
    end = start + 1
    while end < min(start + 5, len(tokens)) and tokens[end].key.isdecimal() and not tokens[end - 1].breaks:
        end += 1
    key = "".join(token.key for token in tokens[start:end])
    if len(tokens[start].key) != 2 or end == start + 1 or not _VAT.fullmatch(key) or len(key) < 10:
        return None
    text = " ".join(token.text for token in tokens[start:end])
    return Piece(text, tuple(range(start, end)), (Meaning({"vat_number": text}),))


_Ranked = list[tuple[str, Span | None, int]]


def _fields(field: str, text: str, span: Span | None) -> dict[str, object]:
    if span is None:
        return {field: text}
    days = {"created_from": span.start, "created_to": span.end}
    return {name: day for name, day in days.items() if day is not None}


def _ranked(key: str, context: Context) -> _Ranked:
    """(field, days, rank) for everything that the key can be; days are None when it is the token as typed."""
    key = key.strip("()[]{}<>").rstrip(".")
    if key.isdecimal():
        return _number(ascii_digits(key), context)
    if re.fullmatch("[0-9]+(?:,[0-9]+)+", key):
        return [("order_ids", None, 0)]
    if _AMOUNT.fullmatch(key):
        return []
    if all(_CERTAIN_ORDER.fullmatch(part) for part in key.split("/")):
        return [("order_ids", None, 0)]
    code: _Ranked = [("activation_code", None, 2)]
    if len(key) < 3:
        code = []
    if _SWISS_VAT.fullmatch(key) or (
        _VAT.fullmatch(key) and sum(c.isdigit() for c in key) >= 7 and "-" not in key
    ):
        return [("vat_number", None, 0), ("order_ids", None, 1), *code]
    if _CODE.fullmatch(key) and len(set(map(len, key.split("-")))) == 1:
        return [("activation_code", None, 0), ("order_ids", None, 1), ("vat_number", None, 3)]
    if _ORDER.fullmatch(key):
        vat: _Ranked = [("vat_number", None, 2)] if _SPANISH_VAT.fullmatch(key) else []
        return [("order_ids", None, 0), *vat, *code]
    if _GROUPS.fullmatch(key) or not key.isascii():
        return [("activation_code", None, 0), ("order_ids", None, 1), ("vat_number", None, 3)]
    if _NUMBERS.fullmatch(key):
        return [("order_ids", None, 0), *code, ("vat_number", None, 3)]
    return [("activation_code", None, 0), ("order_ids", None, 1), ("vat_number", None, 3)]


def _number(digits: str, context: Context) -> _Ranked:
    length = len(digits)
    if length == 4:
        year = int(digits)
        is_year = 1990 <= year <= context.today.year
        span = year_span(year) if is_year else None
        years: _Ranked = [("created", span, 3)] if span else []
        return [("card_last_4", None, 0), ("order_ids", None, 1), *years, ("activation_code", None, 4)]
    if length < 7:
        code: _Ranked = [("activation_code", None, 2)] if length >= 3 else []
        return [("order_ids", None, 0), *code]
    ranked: _Ranked = [("order_ids", None, 0)]
    if length == 8 and (day := _day(digits, context)) is not None:
        ranked.append(("created", Span(day, None), 2))
    if length <= 15:
        if is_valid(digits, context):
            is_likely = digits[0] == "0"
            ranked = (
                [("phone", None, 0), ("order_ids", None, 1)] if is_likely else [*ranked, ("phone", None, 1)]
            )
        else:
            ranked.append(("phone", None, 3))
    ranked.append(("activation_code", None, 2))
    ranked.append(("vat_number", None, 3))
    return ranked


def _day(digits: str, context: Context) -> date | None:
    """Eight digits as the form reads them: 03112026 and 20261103; no day that is long past or to come."""
    try:
        day = parse_day(digits)
    except FieldError:
        return None
    return day if day is not None and day.year >= 1990 and day <= context.today else None
