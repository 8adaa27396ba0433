"""What the orders that a search finds come to: by day, by store, refunds, licences sent again, subscriptions.

Every figure is about the orders found, whenever the refund or the cancellation happened. Amounts of different
currencies are never added.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import regex
from sqlalchemy import Connection, Select

from db import report_statements
from services.access import Viewer
from services.order_filter import OrderFilter, SearchInput, parse_filter
from services.order_search import pages_in_scope

# The period of a report that names none: so many days, today included.
DEFAULT_DAYS: Final = 30
_MOST_REASONS: Final = 5000
_MOST_WORDS: Final = 12
_WORD: Final = regex.compile(r"\p{L}[\p{L}\p{M}'’-]{3,}")


@dataclass(frozen=True, slots=True)
class Total:
    """Orders, those of them that are Paid, and what these come to in one currency."""

    currency: str
    orders: int
    paid: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class DayTotal(Total):
    """The orders created on a day of the report's zone."""

    day: date


@dataclass(frozen=True, slots=True)
class StoreTotal(Total):
    store: str


@dataclass(frozen=True, slots=True)
class RefundFigures:
    """`requests` for `orders` orders; `median_hours` from request to close, None when none was closed.

    `words` are those of the reasons, with the number of requests that use them.
    """

    requests: int
    orders: int
    open: int
    full: int
    partial: int
    refused: int
    failed: int
    median_hours: float | None
    words: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SubscriptionFigures:
    """How many there are by their status now, and how often somebody here cancelled or resumed one."""

    active: int
    unpaid: int
    cancelled: int
    cancellations: int
    resumptions: int


@dataclass(frozen=True, slots=True)
class Report:
    days: tuple[DayTotal, ...]
    stores: tuple[StoreTotal, ...]
    currencies: tuple[Total, ...]
    refunds: RefundFigures
    resends: int
    subscriptions: SubscriptionFigures

    @property
    def orders(self) -> int:
        return sum(total.orders for total in self.currencies)

    @property
    def paid(self) -> int:
        return sum(total.paid for total in self.currencies)


def with_period(typed: SearchInput, *, zone: ZoneInfo, now: datetime) -> SearchInput:
    """The search with a period: the last 30 days of the zone where no day was named."""
    if any((typed.created_from, typed.created_to, typed.paid_from, typed.paid_to)):
        return typed
    return last_days(typed, DEFAULT_DAYS, zone=zone, now=now)


def last_days(typed: SearchInput, number: int, *, zone: ZoneInfo, now: datetime) -> SearchInput:
    """The search over so many days of the zone, today included."""
    today = now.astimezone(zone).date()
    return replace(typed, created_from=today - timedelta(days=number - 1), created_to=today)


def get_report(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> Report:
    """The figures of the orders in the viewer's scope that the filter finds."""
    pages = pages_in_scope(viewer, order_filter)
    names = {store.id: store.name for store in viewer.stores}
    days, stores = [], []
    for row in connection.execute(report_statements.totals_statement(order_filter, pages)):
        values = (row.currency, row.orders, row.paid, row.revenue)
        if row.day is not None:
            days.append(DayTotal(*values, day=row.day))
        else:
            stores.append(StoreTotal(*values, store=names[row.checkout_page_id]))
    reasons = connection.execute(
        report_statements.reasons_statement(order_filter, pages, most=_MOST_REASONS)
    ).scalars()
    refunds = connection.execute(report_statements.refunds_statement(order_filter, pages)).one()
    statuses = _counted(connection, report_statements.subscriptions_statement(order_filter, pages))
    changes = _counted(connection, report_statements.changes_statement(order_filter, pages))
    return Report(
        days=tuple(sorted(days, key=lambda one: (one.day, one.currency))),
        stores=tuple(sorted(stores, key=lambda one: (one.store, one.currency))),
        currencies=_added(stores),
        refunds=RefundFigures(
            **{name: value for name, value in refunds._mapping.items() if name != "median_hours"},
            median_hours=None if refunds.median_hours is None else float(refunds.median_hours),
            words=common_words(reasons),
        ),
        resends=connection.execute(report_statements.resends_statement(order_filter, pages)).scalar_one(),
        subscriptions=SubscriptionFigures(
            active=statuses.get("active", 0),
            unpaid=statuses.get("not paid", 0),
            cancelled=statuses.get("cancelled", 0),
            cancellations=changes.get("cancel", 0),
            resumptions=changes.get("resume", 0),
        ),
    )


def common_words(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The words of four letters and more that most of the reasons use, each counted once a reason."""
    counted = Counter(word for reason in reasons for word in {w.casefold() for w in _WORD.findall(reason)})
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_MOST_WORDS])


def day_filter(order_filter: OrderFilter, day: date) -> OrderFilter:
    """The same search for one day alone: what stands behind a bar of the chart."""
    typed = replace(order_filter.typed, created_from=day, created_to=day)
    return parse_filter(typed, zone=ZoneInfo(order_filter.zone))


def store_filter(order_filter: OrderFilter, store: str) -> OrderFilter:
    """The same search in one store alone."""
    return parse_filter(replace(order_filter.typed, stores=(store,)), zone=ZoneInfo(order_filter.zone))


def _counted(connection: Connection, statement: Select[Any]) -> dict[str, int]:
    return {name: number for name, number in connection.execute(statement)}


def _added(stores: Iterable[Total]) -> tuple[Total, ...]:
    found: dict[str, Total] = {}
    for one in stores:
        before = found.get(one.currency, Total(one.currency, 0, 0, Decimal(0)))
        found[one.currency] = Total(
            one.currency, before.orders + one.orders, before.paid + one.paid, before.revenue + one.revenue
        )
    return tuple(sorted(found.values(), key=lambda one: (-one.orders, one.currency)))
