"""Single days, months and other spans of days in a text: numbers in either order, names of months, words.

`DayReader` reads one expression at a position of a text that is cut into words, numbers and signs. Several lengths and
several meanings are possible at the same position; all are returned.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.orders.periods import Period
from services.recognition.calendar_names import NUMBERS, TODAY, YESTERDAY, months, short_months, weekdays
from services.recognition.spans import Span, month_span, named_span, resolved
from services.recognition.tokens import Token

_LEXEME: Final = re.compile(r"[0-9]+|[^\W\d_][^\s\d.,/–—:+()-]*|.")
_POSSESSIVE: Final = re.compile("['’]s$")  # yesterday's
_ORDINALS: Final = frozenset({"st", "nd", "rd", "th", "er", "º", "ª", "."})
_OF: Final = frozenset({"of", "de", "del", "."})
_TO: Final = frozenset({"-", "–", "—", "to", "and", "bis", "au", "al"})
_YEAR_MARKS: Final = frozenset({"年", "년"})
_MONTH_MARKS: Final = frozenset({"月", "월"})
_DAY_MARKS: Final = frozenset({"日", "일", "号", "號"})
_UNITS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word, a number or a sign: `token` is the number of its token, `ends` says that the token ends with it.

    `comma` says that a comma follows.
    """

    key: str
    token: int
    ends: bool
    starts: bool
    comma: bool = False

    @property
    def number(self) -> int | None:
        return int(self.key) if self.key[0] in "0123456789" and len(self.key) <= 4 else None


def lexemes_of(tokens: list[Token], start: int, most: int) -> list[Lexeme]:
    """The lexemes of at most `most` tokens from `start` on; a quoted token ends them."""
    lexemes: list[Lexeme] = []
    for number, token in enumerate(tokens[start : start + most], start):
        if token.quoted or len(token.key) > 40:
            break
        parts = _LEXEME.findall(_POSSESSIVE.sub("", token.key))
        for at, key in enumerate(parts):
            is_last = at == len(parts) - 1
            lexemes.append(Lexeme(key, number, is_last, at == 0, is_last and token.breaks))
    return lexemes


class DayReader:
    """Reads the expression that begins at a lexeme. `day_first` decides what 3/11 is."""

    def __init__(self, lexemes: list[Lexeme], today: date, *, day_first: bool) -> None:
        self.lexemes, self.today, self.day_first = lexemes, today, day_first

    def spans(self, at: int) -> Iterator[tuple[int, Span]]:
        """Every span that can be read at this lexeme, each with the position after it."""
        if at >= len(self.lexemes):
            return
        if self._number(at) is not None:
            yield from self._numeric(at)
            yield from self._east_asian(at)
            yield from self._day_and_month(at)
        else:
            yield from self._month_and_day(at)
            yield from self._words(at)
            yield from self._weekday(at)
            yield from self._quarter(at)

    def key(self, at: int) -> str:
        return self.lexemes[at].key if at < len(self.lexemes) else ""

    def _number(self, at: int) -> int | None:
        return self.lexemes[at].number if at < len(self.lexemes) else None

    def _year(self, at: int) -> tuple[int, int] | None:
        """A year at this lexeme, perhaps after 'of' or an apostrophe: the position after it, and the year."""
        if self.key(at) in _OF or self.key(at) == ",":
            at += 1
        short = self.key(at) in ("'", "’")
        at += short
        year = self._number(at)
        if year is None:
            return None
        length = len(self.key(at))
        after = at + 1
        if self.key(after) in ("г", "года", "р", "року"):
            after += 1 + (self.key(after + 1) == ".")
        if length == 4 and 1970 <= year <= 2200:
            return after, year
        return (after, 2000 + year) if short and length == 2 else None

    def _numeric(self, at: int) -> Iterator[tuple[int, Span]]:
        """3/11/2026, 2026-11-03, 3/11, 03.11., 11/2026, 2026-11."""
        first, sign, second = self._number(at), self.key(at + 1), self._number(at + 2)
        if first is None or second is None or sign not in ("/", ".", "-", "–"):
            return
        third = self._number(at + 4) if self.key(at + 3) == sign else None
        length = len(self.key(at))
        if third is not None:
            last = len(self.key(at + 4))
            after = at + 5 + (self.key(at + 5) == ".")
            if length == 4 and last <= 2:
                yield from _dated(after, self._day(first, second, third))
            elif length <= 2 and last in (2, 4):
                year = third if last == 4 else 2000 + third
                yield from _dated(after, self._ordered(first, second, year, sign))
        elif length == 4:
            if len(self.key(at + 2)) == 2 and self._ends(at + 2):
                yield from _dated(at + 3, month_span(first, second))
        elif len(self.key(at + 2)) == 4:
            yield from _dated(at + 3, month_span(second, first))
        elif sign == "/" or (sign == "." and self.key(at + 3) == "."):
            after = at + 3 + (sign == ".")
            yield from _dated(after, self._ordered(first, second, None, sign))

    def _ordered(self, first: int, second: int, year: int | None, sign: str) -> Span | None:
        """The day of two numbers and a year, in this reader's order; a dot is written between day and month alone."""
        day, month = (first, second) if self.day_first or sign == "." else (second, first)
        return self._day(year, month, day)

    def _day(self, year: int | None, month: int, day: int) -> Span | None:
        return resolved(self.today, year, month, day, day)

    def _ends(self, at: int) -> bool:
        return self.lexemes[at].ends

    def _east_asian(self, at: int) -> Iterator[tuple[int, Span]]:
        """2026年11月3日, 2026年11月, 11月3日, 11月."""
        year: int | None = None
        if self.key(at + 1) in _YEAR_MARKS:
            year, at = self._number(at), at + 2
        month = self._number(at)
        if month is None or self.key(at + 1) not in _MONTH_MARKS:
            return
        day = self._number(at + 2)
        if day is not None and self.key(at + 3) in _DAY_MARKS:
            yield from _dated(at + 4, self._day(year, month, day))
        elif year is not None:
            yield from _dated(at + 2, month_span(year, month))
        else:
            yield from _dated(at + 2, resolved(self.today, None, month))

    def _day_and_month(self, at: int) -> Iterator[tuple[int, Span]]:
        """3 Nov 2026, 3rd of November, 1-7 Nov, 2026 Nov, and 3 days ago."""
        yield from self._ago(at)
        day = self._number(at)
        if day is None:
            return
        if len(self.key(at)) == 4 and (month := months().get(self.key(at + 1))):
            yield from _dated(at + 2, month_span(day, month))
            return
        first, last = day, day
        at = self._after_ordinal(at)
        if self.key(at) in _TO and (number := self._number(at + 1)) is not None:
            last, at = number, self._after_ordinal(at + 1)
        while self.key(at) in _OF:
            at += 1
        if month := short_months().get(self.key(at)):
            yield from self._with_year(at + 1, month, first, last)

    def _after_ordinal(self, at: int) -> int:
        return at + 1 + (self.key(at + 1) in _ORDINALS)

    def _with_year(self, at: int, month: int, first: int, last: int) -> Iterator[tuple[int, Span]]:
        at += self.key(at) == "."
        if (year := self._year(at)) is not None:
            yield from _dated(year[0], resolved(self.today, year[1], month, first, last))
        yield from _dated(at, resolved(self.today, None, month, first, last))

    def _month_and_day(self, at: int) -> Iterator[tuple[int, Span]]:
        """Nov 3, 2026; Nov 1-7; Nov 2026; November."""
        month = short_months().get(self.key(at))
        if month is None:
            return
        is_whole = self.key(at) in months()
        after = at + 1 + (self.key(at + 1) == ".")
        if (year := self._year(after)) is not None:
            yield from _dated(year[0], month_span(year[1], month))
        elif (first := self._number(after)) is not None and len(self.key(after)) <= 2:
            after = self._after_ordinal(after)
            last = first
            if self.key(after) in _TO and (number := self._number(after + 1)) is not None:
                last, after = number, self._after_ordinal(after + 1)
            yield from self._with_year(after, month, first, last)
        if is_whole:
            yield from _dated(
                at + 1 + (self.key(at + 1) == "."), resolved(self.today, None, month), is_name=True
            )

    def _words(self, at: int) -> Iterator[tuple[int, Span]]:
        """today, yesterday, this week, last month, last 7 days, a week ago."""
        word, today = self.key(at), self.today
        if word in TODAY:
            yield at + 1, named_span(Period.TODAY, today)
        elif word in YESTERDAY:
            yield at + 1, named_span(Period.YESTERDAY, today)
        elif [self.key(n) for n in range(at, at + 3)] == [
            "day",
            "before",
            "yesterday",
        ] or word == "vorgestern":
            yield at + (1 if word == "vorgestern" else 3), Span(today - timedelta(2), today - timedelta(2))
        elif word in ("this", "last", "past", "previous", "current"):
            yield from self._relative(at + 1, "this" if word == "current" else word)
        yield from self._ago(at)

    def _relative(self, at: int, word: str) -> Iterator[tuple[int, Span]]:
        unit, today = self.key(at), self.today
        if unit in ("week", "month", "year", "quarter"):
            yield at + 1, named_span(Period(f"{'this' if word == 'this' else 'last'} {unit}"), today)
        elif unit in ("morning", "afternoon", "evening") and word == "this":
            yield at + 1, Span(today, today)
        elif unit in ("night", "evening"):
            yield at + 1, Span(today - timedelta(1), today)
        elif unit == "weekend":
            saturday = today - timedelta((today.weekday() - 5) % 7 or (0 if word == "this" else 7))
            yield at + 1, Span(saturday, saturday + timedelta(1))
        elif unit in weekdays():
            yield at + 1, self._latest(weekdays()[unit], before=word != "this")
        elif word != "this" and (counted := self._counted(at)) is not None:
            after, number, kind = counted
            if kind == "day" and number in (7, 30):
                yield after, named_span(Period(f"last {number} days"), today)
                return
            yield after, Span(_back(today, number, kind) + timedelta(kind in ("day", "week")), today)

    def _ago(self, at: int) -> Iterator[tuple[int, Span]]:
        if (counted := self._counted(at)) is not None and self.key(counted[0]) in ("ago", "back", "earlier"):
            day = _back(self.today, counted[1], counted[2])
            yield counted[0] + 1, Span(day, day)

    def _counted(self, at: int) -> tuple[int, int, str] | None:
        """A number of days, weeks, months or years: the position after it, the number and the unit."""
        number = self._number(at) or NUMBERS.get(self.key(at))
        if number is None:
            return None
        at += 1 + (self.key(at + 1) == "of")
        unit = self.key(at).removesuffix("s")
        return (at + 1, number, unit) if unit in _UNITS and number <= 1000 else None

    def _weekday(self, at: int) -> Iterator[tuple[int, Span]]:
        """Tuesday: today or the latest one; before a day that is written out it says nothing new."""
        number = weekdays().get(self.key(at))
        if number is None:
            return
        after = at + 1 + (self.key(at + 1) == ".")
        for end, span in self.spans(after):
            if span.start is not None and span.start == span.end and not span.is_name:
                yield end, span
        span = self._latest(number, before=False)
        yield after, Span(span.start, span.end, is_name=True)

    def _latest(self, weekday: int, *, before: bool) -> Span:
        days = (self.today.weekday() - weekday) % 7
        day = self.today - timedelta(days or (7 if before else 0))
        return Span(day, day)

    def _quarter(self, at: int) -> Iterator[tuple[int, Span]]:
        """Q3 2026, Q3."""
        number = self._number(at + 1)
        if self.key(at) != "q" or number not in (1, 2, 3, 4) or self.lexemes[at].ends:
            return
        first = 3 * number - 2
        found_year = self._year(at + 2)
        after, year = found_year or (at + 2, self.today.year)
        if found_year is None and date(year, first, 1) > self.today:
            year -= 1
        start, end = month_span(year, first), month_span(year, first + 2)
        if start is not None and end is not None:
            yield after, Span(start.start, end.end)


def _dated(after: int, span: Span | None, *, is_name: bool = False) -> Iterator[tuple[int, Span]]:
    if span is not None:
        yield after, Span(span.start, span.end, span.yearless, is_name)


def _back(today: date, number: int, unit: str) -> date:
    """The day so many units before today; the last day of a month that is too short for it."""
    if unit in ("day", "week"):
        return today - timedelta(number * _UNITS[unit])
    month = today.year * 12 + today.month - 1 - number * (12 if unit == "year" else 1)
    span = month_span(month // 12, month % 12 + 1)
    if span is None or span.end is None:
        return today
    return span.end.replace(day=min(today.day, span.end.day))
