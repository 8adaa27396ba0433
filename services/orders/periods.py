"""Periods of days that a search names by a word, such as "last week". Weeks begin on Monday."""

from datetime import date, timedelta
from enum import StrEnum


class Period(StrEnum):
    """The value is what a saved search holds, `label` what people read."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last 7 days"
    LAST_30_DAYS = "last 30 days"
    THIS_WEEK = "this week"
    LAST_WEEK = "last week"
    THIS_MONTH = "this month"
    LAST_MONTH = "last month"
    THIS_QUARTER = "this quarter"
    LAST_QUARTER = "last quarter"
    THIS_YEAR = "this year"
    LAST_YEAR = "last year"

    @property
    def label(self) -> str:
        return self.value.capitalize()


def period_days(period: Period, today: date) -> tuple[date, date]:
    """The first and the last day of the period, both included.

    Periods of days end today, and so do those called "this": an order of the future does not exist.
    """
    match period:
        case Period.TODAY:
            return today, today
        case Period.YESTERDAY:
            return today - timedelta(days=1), today - timedelta(days=1)
        case Period.LAST_7_DAYS:
            return today - timedelta(days=6), today
        case Period.LAST_30_DAYS:
            return today - timedelta(days=29), today
        case Period.THIS_WEEK:
            return _week(today), today
        case Period.LAST_WEEK:
            return _week(today) - timedelta(days=7), _week(today) - timedelta(days=1)
        case Period.THIS_MONTH:
            return _month(today), today
        case Period.LAST_MONTH:
            return _month(today, back=1), _month(today) - timedelta(days=1)
        case Period.THIS_QUARTER:
            return _quarter(today), today
        case Period.LAST_QUARTER:
            return _month(_quarter(today), back=3), _quarter(today) - timedelta(days=1)
        case Period.THIS_YEAR:
            return date(today.year, 1, 1), today
        case Period.LAST_YEAR:
            return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date, *, back: int = 0) -> date:
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _quarter(day: date) -> date:
    return _month(day, back=(day.month - 1) % 3)
