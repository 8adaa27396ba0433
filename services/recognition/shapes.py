"""Single values that are known by their shape: order numbers, cards, VAT numbers, activation codes, e-mails."""

import re
from datetime import date
from typing import Final

from services.recognition.context import Context
from services.recognition.phones import is_valid
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.spans import Span, year_span
from services.recognition.tokens import Token
from services.text.keys import ascii_digits

EMAIL: Final = re.compile(r"(?:mailto:)?[<(\[]*([^\s@<>()\[\]]+@[^\s@<>()\[\]]+?)[>)\].]*")
_CERTAIN_ORDER: Final = re.compile(r"(?:#|№|n°)\s*[^\s]*[0-9][^\s]*|[a-z][0-9]{9,18}")
_ORDER: Final = re.compile(r"[a-z]{1,10}[-_#.]?[0-9]{3,18}|[a-z]{1,10}(?:[-_/.][0-9]+){1,4}")
_NUMBERS: Final = re.compile(r"[0-9]+(?:[-/][0-9]+)+")
_CLOCK: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:am|pm)?")
_AMOUNT: Final = re.compile(r"[-+]?[0-9]+(?:[.,'’][0-9]+)*[.,][0-9]+|[0-9]+%")
_GROUPS: Final = re.compile(r"([0-9a-z]{3,8})(?:-[0-9a-z]{3,8})+")
# Two letters of a country before eight to twelve digits or letters (VIES; also GB, CH, NO and the tax IDs of others).
_VAT: Final = re.compile(
    r"(?:at|be|bg|cy|cz|de|dk|ee|el|es|fi|fr|gb|hr|hu|ie|it|lt|lu|lv|mt|nl|pl|pt|ro|se|si|sk|xi|ch|no|ru|br|tr|ua|in|au)"
    r"[-. ]?[0-9a-z]{2,4}[0-9a-z.\- ]{4,11}"
)
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
    if _MASK.fullmatch(key) and start + 1 < len(tokens) and re.fullmatch("[0-9]{4}", tokens[start + 1].key):
        return _card(tokens, start, start + 2, tokens[start + 1].key)
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
    if token.quoted or not any("0" <= c <= "9" for c in token.key):
        return None
    end = start + 1
    ranked = _ranked(token.key, context)
    if len(token.key) == 2 and token.key.isalpha():
        return None
    if not ranked:
        return Piece(token.text, (start,), (), Kind.UNPLACED)
    bare = token.text.strip("()[]{}<>").rstrip(".")
    meanings = [Meaning(_fields(field, bare, value), rank) for field, value, rank in ranked]
    text = " ".join(token.text for token in tokens[start:end])
    return Piece(text, tuple(range(start, end)), tuple(meanings))


_Ranked = list[tuple[str, Span | None, int]]


def _fields(field: str, text: str, span: Span | None) -> dict[str, object]:
    return {field: text} if span is None else {"created_from": span.start, "created_to": span.end}


def _ranked(key: str, context: Context) -> _Ranked:
    """(field, days, rank) for everything that the key can be; days are None when it is the token as typed."""
    key = key.strip("()[]{}<>").rstrip(".")
    if key.isdecimal():
        return _number(ascii_digits(key), context)
    if _AMOUNT.fullmatch(key):
        return []
    if _CERTAIN_ORDER.fullmatch(key):
        return [("order_ids", None, 0)]
    code: _Ranked = [("activation_code", None, 2)]
    if len(key) < 3:
        code = []
    if _VAT.fullmatch(key) and sum(c.isdigit() for c in key) >= 7 and "-" not in key:
        return [("vat_number", None, 0), ("order_ids", None, 1), *code]
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
        span = year_span(date(year, 1, 1), "year", 0) if is_year else None
        years: _Ranked = [("created", span, 3)] if span else []
        return [("card_last_4", None, 0), ("order_ids", None, 1), *years, ("activation_code", None, 4)]
    if length < 7:
        code: _Ranked = [("activation_code", None, 2)] if length >= 3 else []
        return [("order_ids", None, 0), *code]
    ranked: _Ranked = [("order_ids", None, 0)]
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
