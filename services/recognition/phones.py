"""Phone numbers as people write them. The library only recognises: the field gets what was typed."""

import re
from typing import Final

import phonenumbers

from services.recognition.context import Context
from services.recognition.tokens import Token
from services.text.keys import ascii_digits, digits_of

_SHAPE: Final = re.compile(r"[+(0-9][0-9()./–\-\s+]*(?:(?:ext\.?|x|доб\.?)\s*[0-9]{1,6})?")
_EXTENSION: Final = re.compile(r"(?:ext\.?|x|доб\.?)\s*[0-9]{1,6}$")
_MOST_TOKENS: Final = 8
_MOST_REGIONS: Final = 4
# ITU E.164 has at most 15 digits; shorter than these are extensions and emergency numbers.
_FEWEST, _MOST = 7, 15


def phone_at(tokens: list[Token], start: int, context: Context) -> tuple[int, bool] | None:
    """The tokens of the phone number that begins here, and whether it can be nothing else; None for none."""
    ends = _ends(tokens, start)
    for end in reversed(ends):
        text = written(tokens, start, end)
        if not _FEWEST <= len(digits_of(_EXTENSION.sub("", text)) or "") <= _MOST:
            continue
        if end - start > 1 and _are_orders(tokens, start, end):
            continue
        is_plain = not re.search(r"[+()/.–-]", text)
        if end - start > 2 and text[0] == "0" and len(digits_of(text) or "") in range(9, 13):
            return end - start, False  # 01 42 68 53 00, of a country that is not the viewer's
        if is_valid(text, context):
            return end - start, not is_plain
        if (
            not is_plain
            and (text[0] in "+(" or re.search(r"[()]|[0-9][-.][0-9]", text))
            and _is_possible(text)
        ):
            return end - start, text[0] == "+" or "(" in text
    return None


def written(tokens: list[Token], start: int, end: int) -> str:
    """The tokens as they were typed, a space between them, with digits of any script as 0-9."""
    return ascii_digits(" ".join(token.text for token in tokens[start:end]))


def _ends(tokens: list[Token], start: int) -> list[int]:
    """The positions after each run of tokens from `start` on that is written like a phone number."""
    ends = []
    for end in range(start + 1, min(start + _MOST_TOKENS, len(tokens)) + 1):
        if len(tokens[end - 1].text) > 40 or tokens[end - 1].quoted:
            break
        text = written(tokens, start, end)
        if text[-1].isdigit() or text[-1] == ")":
            if not _SHAPE.fullmatch(text):
                break
            ends.append(end)
        if tokens[end - 1].breaks:
            break
    return ends


def _are_orders(tokens: list[Token], start: int, end: int) -> bool:
    """Whether these are numbers side by side: groups of a phone number are shorter than that."""
    return all(token.text.isdecimal() and len(token.text) >= 6 for token in tokens[start:end])


def is_valid(text: str, context: Context) -> bool:
    """Whether it is a number of the viewer's countries, or of any with its code."""
    international = f"+{text[2:]}" if text.startswith("00") else text
    if international.startswith("+"):
        return _valid(international, None)
    return any(_valid(text, region) for region in context.regions[:_MOST_REGIONS])


def _valid(text: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(text: str) -> bool:
    return text.count("(") == text.count(")") and text.count("(") <= 1 and text.rfind("+") <= 0
