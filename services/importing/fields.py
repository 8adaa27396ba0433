"""Checks of single values of an order document.

Written by hand and without a schema library, because an import reads thousands of orders a second: a check that passes
costs a fraction of a microsecond, and the path of a field is put together only for an error.

Every function takes the group of fields it reads from, the key, and `where`: the path of that group with a dot at its
end (`items[1].`), empty for the document itself. What is absent and what is null are the same.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

from services.money import is_currency
from services.text.keys import ascii_digits, strip_edges
from services.text.web_addresses import is_web_address

# The longest text accepted, in characters. Generous; the ones the search has an index on stay well below
# the 2,700 bytes that an entry of a PostgreSQL index may have.
SHORT: Final = 64  # order names, stores, locales, countries, phones, types
NAME: Final = 200  # people, payment methods, ids of products and subscriptions, names of parameters
FILE_NAME: Final = 255
COMPANY: Final = 300
EMAIL: Final = 320
PRODUCT_NAME: Final = 1_000
ADDRESS: Final = 2_000
CODE: Final = 2_000
URL: Final = 2_000
TEXT: Final = 10_000  # history lines, values of parameters
DOCUMENT_BYTES: Final = 10 * 1024 * 1024

MAX_ID: Final = 2**63 - 1
MAX_QUANTITY: Final = 1_000_000
_MIN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIME: Final = datetime(2201, 1, 1, tzinfo=UTC)
# What shops write as the year 9999 means never. With an offset it may lie beyond what a time can hold, in UTC or in the
# time zone of a database session, so all of that year is this one moment.
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_AMOUNT: Final = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?").fullmatch
_TIME: Final = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9:]{4,8}(?:[.,][0-9]+)?(?:Z|[+-][0-9:]{2,5})"
).fullmatch
_PERIOD: Final = re.compile(
    r"P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+W)?(?:[0-9]+D)?(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?"
).fullmatch
_FOUR_DIGITS: Final = re.compile(r"[0-9]{4}").fullmatch
_SCHEME: Final = re.compile(r"https?:", re.IGNORECASE).match
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+").fullmatch

Word = TypeVar("Word")
Fields = dict[str, Any]


class WrongField(Exception):
    """A value that cannot be used: the path of its field, and the reason as one sentence."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def quote(value: object, limit: int = 40) -> str:
    """The value as an error may repeat it: on one line, shortened, without characters that cannot be printed."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a group of fields"
    shown = str(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown[:limit])
    clean += "…" if len(shown) > limit else ""
    return f"“{clean}”" if isinstance(value, str) else clean


def wrong(where: str, key: str, expected: str, value: object) -> NoReturn:
    if value is None:
        raise WrongField(where + key, f"This field is missing: expected {expected}.")
    raise WrongField(where + key, f"Expected {expected}, but the document has {quote(value)}.")


def _is_blank(value: object) -> bool:
    return type(value) is str and (not value or value.isspace())


def text(fields: Fields, key: str, where: str, limit: int) -> str | None:
    """The text as sent; None when it is absent, empty or only spaces."""
    value = fields.get(key)
    if value is None:
        return None
    if type(value) is not str:
        wrong(where, key, "a string", value)
    if len(value) > limit:
        raise WrongField(
            where + key, f"The text has {len(value):,} characters; at most {limit:,} are accepted."
        )
    return value if value and not value.isspace() else None


def required_text(fields: Fields, key: str, where: str, limit: int) -> str:
    value = text(fields, key, where, limit)
    if value is None:
        raise WrongField(where + key, "This field is missing or empty: expected a text.")
    return value


def email(fields: Fields, key: str, where: str) -> str | None:
    """An address as sent, without what cannot be seen at its ends: mail goes to it. Any other text is taken as well."""
    value = text(fields, key, where, EMAIL)
    return value if value is None else strip_edges(value) or None


def identifier(fields: Fields, key: str, where: str) -> str | None:
    """An id that shops keep as a text or as a whole number; a text here."""
    value = fields.get(key)
    if type(value) is int and 0 <= value <= MAX_ID:
        return str(value)
    return text(fields, key, where, NAME)


def flag(fields: Fields, key: str, where: str) -> bool:
    """True or false; false when absent."""
    value = fields.get(key)
    if value is None:
        return False
    if type(value) is not bool:
        wrong(where, key, "true or false, without quotation marks", value)
    return value


def whole_number(fields: Fields, key: str, where: str, most: int) -> int:
    """A whole number from 1 to `most`. Not a text, not 1.0, not true."""
    value = fields.get(key)
    if type(value) is not int or not 1 <= value <= most:
        wrong(where, key, f"a whole number from 1 to {most:,}, without quotation marks", value)
    return value


def amount(fields: Fields, key: str, where: str, *, below_zero: bool = False) -> Decimal | None:
    """Money as a text with a dot, at most 12 digits before and 6 after it. JSON numbers are refused: they are
    binary fractions in most programs, and 0.1 + 0.2 must stay 0.3. An amount below zero is refused unless allowed."""
    value = fields.get(key)
    if value is None:
        return None
    if type(value) is not str or _AMOUNT(value) is None:
        if _is_blank(value):
            return None
        wrong(where, key, 'an amount in quotation marks such as "12.50"', value)
    if value[0] != "-":
        return Decimal(value)
    below = Decimal(value)
    if below < 0 and not below_zero:
        wrong(where, key, "an amount that is not below zero", value)
    return below or Decimal(value[1:])  # "-0.00" is nothing but zero


def required_amount(fields: Fields, key: str, where: str, *, below_zero: bool = False) -> Decimal:
    value = amount(fields, key, where, below_zero=below_zero)
    if value is None:
        wrong(where, key, 'an amount in quotation marks such as "12.50"', None)
    return value


def percent(fields: Fields, key: str, where: str) -> Decimal | None:
    value = amount(fields, key, where)
    if value is not None and value > 100:
        wrong(where, key, "a percentage from 0 to 100", fields[key])
    return value


def time(fields: Fields, key: str, where: str, *, until: datetime = _MAX_TIME) -> datetime | None:
    """A moment in UTC, in the years 1970 to 2200. A time that does not say its offset could be any of 26 hours."""
    value = fields.get(key)
    if value is None or _is_blank(value):
        return None
    offset = None
    try:
        moment = datetime.fromisoformat(value)
        offset = moment.tzinfo
        if offset is not UTC:
            moment = moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        offset = None
    # fromisoformat also reads week dates and any separator; the pattern keeps to what other programs read.
    if offset is None or _TIME(value) is None:
        wrong(where, key, "a date and time with its offset such as 2026-01-31T09:30:00+00:00", value)
    if not _MIN_TIME < moment < until:
        wrong(where, key, f"a time in the years 1970 to {until.year - (until is not NEVER)}", value)
    return moment


def time_or_never(fields: Fields, key: str, where: str) -> datetime | None:
    """A moment in UTC, in the years 1970 to 9999. The year 9999 means never and is read as `NEVER`."""
    value = fields.get(key)
    if type(value) is str and value.startswith("9999") and _TIME(value):
        # Without its year the rest must still be a date and a time, and may be moved to UTC.
        return None if time({key: "1999" + value[4:]}, key, where) is None else NEVER
    return time(fields, key, where, until=NEVER)


def required_time(fields: Fields, key: str, where: str) -> datetime:
    value = time(fields, key, where)
    if value is None:
        wrong(where, key, "a date and time such as 2026-01-31T09:30:00+00:00", None)
    return value


def word(fields: Fields, key: str, where: str, words: Mapping[str, Word]) -> Word | None:
    """One of a few words, in exactly that spelling."""
    value = fields.get(key)
    if value is None:
        return None
    found = words.get(value) if type(value) is str else None
    if found is None:
        if _is_blank(value):
            return None
        wrong(where, key, "one of " + ", ".join(f"“{w}”" for w in words), value)
    return found


def required_word(fields: Fields, key: str, where: str, words: Mapping[str, Word]) -> Word:
    value = word(fields, key, where, words)
    if value is None:
        wrong(where, key, "one of " + ", ".join(f"“{w}”" for w in words), None)
    return value


def currency(fields: Fields, key: str, where: str) -> str:
    value = fields.get(key)
    if type(value) is not str or not is_currency(value):
        wrong(where, key, "a currency code of three capital letters such as EUR (ISO 4217)", value)
    return value


def last_4(fields: Fields, key: str, where: str) -> str | None:
    value = text(fields, key, where, SHORT)
    if value is not None and not value.isascii():
        value = ascii_digits(strip_edges(value))
    if value is not None and _FOUR_DIGITS(value) is None:
        # Not repeated in the error: somebody may have sent the whole card number.
        raise WrongField(where + key, 'Expected exactly four digits in quotation marks such as "0042".')
    return value


def url(fields: Fields, key: str, where: str) -> str | None:
    """A web address. Only http and https: it becomes a link, and other schemes can run scripts."""
    value = text(fields, key, where, URL)
    if value is None:
        return None
    scheme = _SCHEME(value)
    address = value if scheme is None else scheme[0].lower() + value[scheme.end() :]
    if not is_web_address(address):
        expected = (
            "a web address that begins with http:// or https:// and a host, without a user name or spaces"
        )
        wrong(where, key, expected, value)
    return address


def period(fields: Fields, key: str, where: str) -> str | None:
    value = text(fields, key, where, SHORT)
    if value is not None and _PERIOD(value) is None:
        wrong(where, key, "a period such as P1Y or P30D (ISO 8601)", value)
    return value


def media_type(fields: Fields, key: str, where: str) -> str:
    value = text(fields, key, where, FILE_NAME)
    if value is None:
        return "application/pdf"
    if _MEDIA_TYPE(value) is None:
        wrong(where, key, "a file type such as application/pdf", value)
    return value


def content(fields: Fields, key: str, where: str) -> bytes:
    """The bytes of a file that was sent as Base64, at most 10 MB of them."""
    value = fields.get(key)
    if type(value) is not str or not value:
        wrong(where, key, "the content of a file in Base64", value or None)
    data = b""
    fits = len(value) <= DOCUMENT_BYTES * 4 // 3 + 4
    if fits:
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            raise WrongField(where + key, "The content of the file is not valid Base64.") from None
    if not fits or len(data) > DOCUMENT_BYTES:
        raise WrongField(
            where + key, f"The file is over {DOCUMENT_BYTES >> 20} MB, the most that is accepted."
        )
    return data
