"""Checks of single values of an order document.

By hand and without a schema library (docs/decisions/022-order-documents-are-read-by-our-own-parser.md): an import reads
thousands of orders per second, so a check that passes costs a fraction of a microsecond, and the path of a field is
built only for an error.

Each function takes the JSON object it reads from, the key, and `where`: the path of that object with a dot at its end
(`items[1].`), empty for the document itself. Absent and null are the same. A value that cannot be used raises
`WrongField`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeVar

from services.importing.refusals import JsonObject, WrongField, refuse
from services.money import is_currency
from services.text.keys import ascii_digits, strip_edges
from services.text.web_addresses import is_web_address

# Maximum lengths in characters. Generous; those of searched fields are well below the 2,700 bytes that an entry of a
# PostgreSQL index may have.
SHORT: Final = 64  # order names, stores, locales, countries, phones, types
NAME: Final = 200  # people, payment methods, ids of products and subscriptions, names of parameters
FILE_NAME: Final = 255
COMPANY: Final = 300
PAYMENT_REFERENCE: Final = 300
EMAIL: Final = 320
PRODUCT_NAME: Final = 1_000
ADDRESS: Final = 2_000
CODE: Final = 2_000
URL: Final = 2_000
TEXT: Final = 10_000  # history lines, values of parameters

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

Choice = TypeVar("Choice")


def _is_blank(value: object) -> bool:
    return type(value) is str and (not value or value.isspace())


def text(source: JsonObject, key: str, where: str, limit: int) -> str | None:
    """The string as sent; None when it is absent, empty or blank."""
    value = source.get(key)
    if value is None:
        return None
    if type(value) is not str:
        refuse(where, key, "a string", value)
    if len(value) > limit:
        raise WrongField(
            where + key, f"The text has {len(value):,} characters; at most {limit:,} are accepted."
        )
    return value if value and not value.isspace() else None


def required_text(source: JsonObject, key: str, where: str, limit: int) -> str:
    value = text(source, key, where, limit)
    if value is None:
        raise WrongField(where + key, "This field is missing or empty: expected a string.")
    return value


def email(source: JsonObject, key: str, where: str) -> str | None:
    """An address as sent, without invisible characters at its ends, because mail goes to it. Any text is accepted."""
    value = text(source, key, where, EMAIL)
    return value if value is None else strip_edges(value) or None


def identifier(source: JsonObject, key: str, where: str) -> str | None:
    """An id that shops keep as a string or as a whole number, as a string."""
    value = source.get(key)
    if type(value) is int and 0 <= value <= MAX_ID:
        return str(value)
    return text(source, key, where, NAME)


def flag(source: JsonObject, key: str, where: str) -> bool:
    """True or false; false when absent."""
    value = source.get(key)
    if value is None:
        return False
    if type(value) is not bool:
        refuse(where, key, "true or false, without quotation marks", value)
    return value


def whole_number(source: JsonObject, key: str, where: str, most: int) -> int:
    """A whole number from 1 to `most`; a string, 1.0 and true are refused."""
    value = source.get(key)
    if type(value) is not int or not 1 <= value <= most:
        refuse(where, key, f"a whole number from 1 to {most:,}, without quotation marks", value)
    return value


def amount(source: JsonObject, key: str, where: str, *, below_zero: bool = False) -> Decimal | None:
    """Money as a string with a dot, at most 12 digits before and 6 after it; below zero only if `below_zero`.

    JSON numbers are refused: most programs read them as binary fractions, and 0.1 + 0.2 must remain 0.3.
    """
    value = source.get(key)
    if value is None:
        return None
    if type(value) is not str or _AMOUNT(value) is None:
        if _is_blank(value):
            return None
        refuse(where, key, 'an amount in quotation marks such as "12.50"', value)
    if value[0] != "-":
        return Decimal(value)
    number = Decimal(value)
    if number < 0 and not below_zero:
        refuse(where, key, "an amount that is not below zero", value)
    return number or Decimal(value[1:])  # "-0.00" is zero


def required_amount(source: JsonObject, key: str, where: str, *, below_zero: bool = False) -> Decimal:
    value = amount(source, key, where, below_zero=below_zero)
    if value is None:
        refuse(where, key, 'an amount in quotation marks such as "12.50"', None)
    return value


def percent(source: JsonObject, key: str, where: str) -> Decimal | None:
    value = amount(source, key, where)
    if value is not None and value > 100:
        refuse(where, key, "a percentage from 0 to 100", source[key])
    return value


def time(source: JsonObject, key: str, where: str, *, until: datetime = _MAX_TIME) -> datetime | None:
    """A moment in UTC, in the years 1970 to 2200. A time that does not say its offset could be any of 26 hours."""
    value = source.get(key)
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
        refuse(where, key, "a date and time with its offset such as 2026-01-31T09:30:00+00:00", value)
    if not _MIN_TIME < moment < until:
        refuse(where, key, f"a time in the years 1970 to {until.year - (until is not NEVER)}", value)
    return moment


def time_or_never(source: JsonObject, key: str, where: str) -> datetime | None:
    """A moment in UTC, in the years 1970 to 9999. The year 9999 means never and is read as `NEVER`."""
    value = source.get(key)
    if type(value) is str and value.startswith("9999") and _TIME(value):
        # Without its year the rest must still be a date and a time, and may be moved to UTC.
        return None if time({key: "1999" + value[4:]}, key, where) is None else NEVER
    return time(source, key, where, until=NEVER)


def required_time(source: JsonObject, key: str, where: str) -> datetime:
    value = time(source, key, where)
    if value is None:
        refuse(where, key, "a date and time such as 2026-01-31T09:30:00+00:00", None)
    return value


def _one_of(choices: Iterable[str]) -> str:
    return "one of " + ", ".join(f"“{name}”" for name in choices)


def choice(source: JsonObject, key: str, where: str, choices: Mapping[str, Choice]) -> Choice | None:
    """One of a few words, in exactly this spelling; None when absent or blank."""
    value = source.get(key)
    if value is None:
        return None
    chosen = choices.get(value) if type(value) is str else None
    if chosen is None:
        if _is_blank(value):
            return None
        refuse(where, key, _one_of(choices), value)
    return chosen


def required_choice(source: JsonObject, key: str, where: str, choices: Mapping[str, Choice]) -> Choice:
    value = choice(source, key, where, choices)
    if value is None:
        refuse(where, key, _one_of(choices), None)
    return value


def currency(source: JsonObject, key: str, where: str) -> str:
    value = source.get(key)
    if type(value) is not str or not is_currency(value):
        refuse(where, key, "a currency code of three capital letters such as EUR (ISO 4217)", value)
    return value


def last_4(source: JsonObject, key: str, where: str) -> str | None:
    value = text(source, key, where, SHORT)
    if value is not None and not value.isascii():
        value = ascii_digits(strip_edges(value))
    if value is not None and _FOUR_DIGITS(value) is None:
        # The error does not repeat the value, which may be a whole card number.
        raise WrongField(where + key, 'Expected exactly four digits in quotation marks such as "0042".')
    return value


def url(source: JsonObject, key: str, where: str) -> str | None:
    """A web address. Only http and https: it becomes a link, and other schemes can run scripts."""
    value = text(source, key, where, URL)
    if value is None:
        return None
    scheme = _SCHEME(value)
    address = value if scheme is None else scheme[0].lower() + value[scheme.end() :]
    if not is_web_address(address):
        expected = (
            "a web address that begins with http:// or https:// and a host, without a user name or spaces"
        )
        refuse(where, key, expected, value)
    return address


def period(source: JsonObject, key: str, where: str) -> str | None:
    value = text(source, key, where, SHORT)
    if value is not None and _PERIOD(value) is None:
        refuse(where, key, "a period such as P1Y or P30D (ISO 8601)", value)
    return value
