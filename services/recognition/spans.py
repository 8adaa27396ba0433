"""Spans of days, and the most recent day or month of a name without a year."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from services.orders.periods import Period, period_days
from services.time_zones import FIRST, LAST


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included; None where it is open.

    `yearless` are month, first and last day of a span whose year was not written. `is_name` says that the word could
    as well be a name: May, April. `period` is the form's name for a span that was named and not written out.
    """

    start: date | None
    end: date | None
    yearless: tuple[int, int, int] | None = None
    is_name: bool = False
    period: Period | None = None

    def in_year(self, year: int) -> "Span":
        """The same span in another year, where its own was not written."""
        if self.yearless is None:
            return self
        span = span_in(year, *self.yearless)
        return self if span is None else Span(span.start, span.end, self.yearless)


def span_in(year: int, month: int, first: int, last: int) -> Span | None:
    """The days `first` to `last` of a month; 0 is its last day. None for days that no order can have."""
    try:
        start, end = date(year, month, first), date(year, month, last or monthrange(year, month)[1])
    except ValueError:  # the 31st of February
        return None
    return Span(start, end) if FIRST <= start <= end <= LAST else None


def month_span(year: int, month: int) -> Span | None:
    """A whole month."""
    return span_in(year, month, 1, 0) if 1 <= month <= 12 and 1969 < year < 2201 else None


def resolved(today: date, year: int | None, month: int, first: int = 1, last: int = 0) -> Span | None:
    """Days of a month; without a year the most recent ones that have begun."""
    if not 1 <= month <= 12:
        return None
    if year is not None:
        return span_in(year, month, first, last)
    for back in range(9):  # the 29th of February comes every four years, and once after eight
        span = span_in(today.year - back, month, first, last)
        if span is not None and span.start is not None and span.start <= today:
            return Span(span.start, span.end, (month, first, last))
    return None


def named_span(period: Period, today: date) -> Span:
    """A period of the form."""
    start, end = period_days(period, today)
    return Span(start, end, period=period)


def year_span(year: int) -> Span:
    return Span(date(year, 1, 1), date(year, 12, 31))
