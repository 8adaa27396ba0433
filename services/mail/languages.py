"""The languages of mails to customers, and amounts of money as they are written in each."""

from decimal import Decimal
from typing import Final

from services.money import plain_amount

ENGLISH: Final = "en"
LANGUAGES: Final = {
    ENGLISH: "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "pt": "Português",
    "ru": "Русский",
}
_NARROW_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
_THOUSANDS: Final = {"de": ".", "es": ".", "it": ".", "pt": ".", "fr": _NARROW_SPACE, "ru": _NARROW_SPACE}


def language_of(locale: str | None) -> str:
    """The language of an order's locale (`de`, `de-AT`, `pt_BR.UTF-8`); English for one without texts."""
    language = (locale or "").strip().replace("_", "-").partition("-")[0].partition(".")[0].lower()
    return language if language in LANGUAGES else ENGLISH


def money_in(language: str, amount: Decimal, currency: str) -> str:
    """`EUR 1,234.50` in English, `1.234,50 EUR` in German: the currency's decimals, nothing rounded."""
    plain = plain_amount(amount, currency)
    if language not in _THOUSANDS:
        return f"{currency} {plain}"
    marks = str.maketrans({",": _THOUSANDS[language], ".": ","})
    return f"{plain.translate(marks)}\N{NO-BREAK SPACE}{currency}"
