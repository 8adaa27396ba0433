"""What the orders that a search finds come to: by day, by store, refunds, licences sent again, subscriptions.

Every figure is about the orders found, whenever the refund or the cancellation happened. Amounts of different
currencies are never added.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import regex
from sqlalchemy import Connection

from db.schema.statuses import SubscriptionAction, SubscriptionStatus
from db.statements import reports
from services.access import Viewer
from services.orders.filters import OrderFilter, SearchInput, parse_filter, searched_values
from services.orders.search import stores_in_scope

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
class RefundTotal:
    """What was given back for orders of a store in one currency; `unknown` refunds have no recorded sum."""

    store: str
    currency: str
    amount: Decimal
    unknown: int


@dataclass(frozen=True, slots=True)
class RefundFigures:
    """`requests` for `orders` orders; `median_hours` from request to close, None when none was closed."""

    requests: int = 0
    orders: int = 0
    open: int = 0
    full: int = 0
    partial: int = 0
    refused: int = 0
    failed: int = 0
    median_hours: float | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionFigures:
    """How many there are by their status now, and how often somebody here cancelled or resumed one."""

    active: int
    unpaid: int
    cancelled: int
    cancellations: int
    resumptions: int

    @property
    def number(self) -> int:
        return self.active + self.unpaid + self.cancelled


@dataclass(frozen=True, slots=True)
class StoreAfterSale:
    """What came after the `orders` orders of a store, whatever their currencies."""

    store: str
    orders: int
    refunds: RefundFigures
    resends: int
    subscriptions: SubscriptionFigures


@dataclass(frozen=True, slots=True)
class Report:
    days: tuple[DayTotal, ...]
    stores: tuple[StoreTotal, ...]
    currencies: tuple[Total, ...]
    after_sale: tuple[StoreAfterSale, ...]
    refunds: RefundFigures
    # By store and currency; empty when nothing was given back.
    given_back: tuple[RefundTotal, ...]
    resends: int
    subscriptions: SubscriptionFigures
    # Those of the reasons, with the number of requests that use them.
    refund_words: tuple[tuple[str, int], ...]

    @property
    def orders(self) -> int:
        return sum(total.orders for total in self.currencies)

    @property
    def paid(self) -> int:
        return sum(total.paid for total in self.currencies)

    @property
    def refunded(self) -> tuple[tuple[str, Decimal], ...]:
        """What was given back, by currency, in the order of `currencies`."""
        found: dict[str, Decimal] = {total.currency: Decimal(0) for total in self.currencies}
        for one in self.given_back:
            found[one.currency] = found.get(one.currency, Decimal(0)) + one.amount
        return tuple((currency, amount) for currency, amount in found.items() if amount)

    @property
    def refunds_unknown(self) -> int:
        """How many refunds have no recorded sum, because they were completed before version 0.2."""
        return sum(one.unknown for one in self.given_back)


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
    pages = stores_in_scope(viewer, order_filter)
    values = searched_values(order_filter)
    names = {store.id: store.name for store in viewer.stores}
    days, stores = [], []
    for row in connection.execute(reports.totals_statement(values, pages, zone=order_filter.zone)):
        figures = (row.currency, row.orders, row.paid, row.revenue)
        if row.day is not None:
            days.append(DayTotal(*figures, day=row.day))
        else:
            stores.append(StoreTotal(*figures, store=names[row.checkout_page_id]))
    reasons = connection.execute(reports.reasons_statement(values, pages, most=_MOST_REASONS)).scalars()
    refunds = {
        row.checkout_page_id: _refunds(row)
        for row in connection.execute(reports.refunds_statement(values, pages))
    }
    resends, statuses, changes = (
        _by_store(connection.execute(statement(values, pages)))
        for statement in (
            reports.resends_statement,
            reports.subscriptions_statement,
            reports.changes_statement,
        )
    )
    orders = Counter[str]()
    for one in stores:
        orders[one.store] += one.orders
    return Report(
        days=tuple(sorted(days, key=lambda one: (one.day, one.currency))),
        stores=tuple(sorted(stores, key=lambda one: (one.store, one.currency))),
        currencies=_added(stores),
        after_sale=_after_sale(viewer, orders, refunds, resends, statuses, changes),
        refunds=refunds[None],
        given_back=tuple(
            RefundTotal(names[row.checkout_page_id], row.currency, row.amount, row.unknown)
            for row in connection.execute(reports.given_back_statement(values, pages))
        ),
        refund_words=common_words(reasons),
        resends=sum(one.total() for one in resends.values()),
        subscriptions=_subscriptions(_summed(statuses), _summed(changes)),
    )


def _after_sale(
    viewer: Viewer,
    orders: Counter[str],
    refunds: Mapping[int | None, RefundFigures],
    resends: Mapping[int, Counter[str]],
    statuses: Mapping[int, Counter[str]],
    changes: Mapping[int, Counter[str]],
) -> tuple[StoreAfterSale, ...]:
    return tuple(
        StoreAfterSale(
            store=store.name,
            orders=orders[store.name],
            refunds=refunds.get(store.id, RefundFigures()),
            resends=resends[store.id].total(),
            subscriptions=_subscriptions(statuses[store.id], changes[store.id]),
        )
        for store in viewer.stores
        if orders[store.name]
    )


def common_words(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The words of four letters and more that most of the reasons use, each counted once a reason."""
    counted = Counter(word for reason in reasons for word in {w.casefold() for w in _WORD.findall(reason)})
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_MOST_WORDS])


def day_filter(order_filter: OrderFilter, day: date) -> OrderFilter:
    """The same search for a single day: the orders behind a bar of the chart."""
    typed = replace(order_filter.typed, created_from=day, created_to=day)
    return parse_filter(typed, zone=ZoneInfo(order_filter.zone))


def store_filter(order_filter: OrderFilter, store: str) -> OrderFilter:
    """The same search in one store alone."""
    return parse_filter(replace(order_filter.typed, stores=(store,)), zone=ZoneInfo(order_filter.zone))


def _refunds(row: Any) -> RefundFigures:
    values = {name: value for name, value in row._mapping.items() if name != "checkout_page_id"}
    if row.median_hours is not None:
        values["median_hours"] = float(row.median_hours)
    return RefundFigures(**values)


def _by_store(rows: Iterable[Any]) -> dict[int, Counter[str]]:
    """Rows of a store's ID, a name and a number, as numbers by name; a store without any has none."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for page_id, name, number in rows:
        found[page_id][name] += number
    return found


def _summed(counts: dict[int, Counter[str]]) -> Counter[str]:
    return sum(counts.values(), Counter[str]())


def _subscriptions(statuses: Counter[str], changes: Counter[str]) -> SubscriptionFigures:
    return SubscriptionFigures(
        active=statuses[SubscriptionStatus.ACTIVE],
        unpaid=statuses["not paid"],
        cancelled=statuses[SubscriptionStatus.CANCELLED],
        cancellations=changes[SubscriptionAction.CANCEL],
        resumptions=changes[SubscriptionAction.RESUME],
    )


def _added(stores: Iterable[Total]) -> tuple[Total, ...]:
    found: dict[str, Total] = {}
    for one in stores:
        before = found.get(one.currency, Total(one.currency, 0, 0, Decimal(0)))
        found[one.currency] = Total(
            one.currency, before.orders + one.orders, before.paid + one.paid, before.revenue + one.revenue
        )
    return tuple(sorted(found.values(), key=lambda one: (-one.orders, one.currency)))
