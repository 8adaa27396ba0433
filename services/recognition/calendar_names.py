"""Names of months and weekdays, and words for days, in the languages of the largest shops' customers.

The names are those of CLDR, by Babel; a language that Babel does not have is left out.
"""

from functools import cache
from typing import Final

from babel import Locale

from services.recognition.words import words_of
from services.text.keys import search_key

_LANGUAGES: Final = "en de fr es it pt nl pl cs sk uk ru bg ro hu sv da nb fi el tr ar he hi id vi ja zh ko"
TODAY: Final = words_of(
    "today heute aujourd'hui aujourd’hui hoy oggi hoje vandaag dzisiaj dziś dnes сегодня сьогодні bugün"
    " 今日 今天 오늘 اليوم idag днес azi ma σήμερα היום आज"
)
YESTERDAY: Final = words_of(
    "yesterday gestern hier ayer ieri ontem gisteren wczoraj včera вчера вчора dün 昨日 昨天 어제 أمس igår"
    " tegnap χθες אתמול कल"
)
NUMBERS: Final = {
    word: number
    for number, words in enumerate(
        [
            "a|an|one",
            "two|couple",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        1,
    )
    for word in words.split("|")
}


@cache
def months() -> dict[str, int]:
    """The number of a month (1 to 12) by its whole name, in any of the languages; English also by its first letters."""
    return (
        _names("months", ("wide",), _LANGUAGES)
        | _names("months", ("wide", "abbreviated"), "en")
        | {"sept": 9}
    )


@cache
def short_months() -> dict[str, int]:
    """The number of a month by any name, abbreviations of all languages included; English wins."""
    return _names("months", ("abbreviated", "wide"), "de fr es it pt nl pl uk ru sv da nb tr") | months()


@cache
def weekdays() -> dict[str, int]:
    """The number of a weekday (Monday is 0) by its whole name, in English also by its first letters."""
    names = _names("days", ("wide",), _LANGUAGES) | _names("days", ("wide", "abbreviated"), "en")
    return names | {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}


def _names(what: str, widths: tuple[str, ...], languages: str) -> dict[str, int]:
    names: dict[str, int] = {}
    for language in languages.split():
        tables = getattr(Locale.parse(language), what)
        for context in ("format", "stand-alone"):
            for width in widths:
                for number, name in tables[context][width].items():
                    key = (search_key(name) or "").rstrip(".")
                    if key and not key[0].isdigit() and " " not in key:
                        names.setdefault(key, number)
    return names
