"""The figures of the orders that match a search: by day, by store, refunds, licences sent again, subscriptions.

Every figure is about these orders, no matter when the refund or the cancellation happened. Amounts of different
currencies are never added.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import regex
from sqlalchemy import Connection, Row, RowMapping

from db.schema.statuses import SubscriptionAction, SubscriptionStatus
from db.statements import reports
from services.access import Viewer
from services.orders.filters import PERIODS, OrderFilter, SearchInput, parse_filter
from services.orders.search import stores_in_scope

# The days of a report that names no period, today included.
DEFAULT_DAYS: Final = 30
_MOST_REASONS: Final = 5000
_MOST_WORDS: Final = 12
_WORD: Final = regex.compile(r"\p{L}[\p{L}\p{M}'’-]{3,}")


@dataclass(frozen=True, slots=True)
class Total:
    """Orders in one currency, those of them that are Paid, and the sum of these."""

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
    """The sum refunded for orders of a store in one currency; `unknown` refunds have no recorded sum."""

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
    """The number of subscriptions by their present status, and of the cancellations and resumptions made here."""

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
    """The figures of a store after the sale of its `orders` orders, whatever their currencies."""

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
    # By store and currency; empty when nothing was refunded.
    given_back: tuple[RefundTotal, ...]
    resends: int
    subscriptions: SubscriptionFigures
    # The words of the reasons, with the number of requests that use them.
    refund_words: tuple[tuple[str, int], ...]

    @property
    def orders(self) -> int:
        return sum(total.orders for total in self.currencies)

    @property
    def paid(self) -> int:
        return sum(total.paid for total in self.currencies)

    @property
    def refunded(self) -> tuple[tuple[str, Decimal], ...]:
        """The sums refunded, by currency, in the order of `currencies`."""
        amounts: dict[str, Decimal] = {total.currency: Decimal(0) for total in self.currencies}
        for total in self.given_back:
            amounts[total.currency] = amounts.get(total.currency, Decimal(0)) + total.amount
        return tuple((currency, amount) for currency, amount in amounts.items() if amount)

    @property
    def refunds_unknown(self) -> int:
        """The number of refunds without a recorded sum, because they were completed before version 0.2."""
        return sum(total.unknown for total in self.given_back)


def with_period(typed: SearchInput, *, zone: ZoneInfo, now: datetime) -> SearchInput:
    """The search with a period: the last 30 days of the zone when it names no day and no period."""
    if any(getattr(typed, name) for period, days in PERIODS.items() for name in (period, *days)):
        return typed
    return last_days(typed, DEFAULT_DAYS, zone=zone, now=now)


def last_days(typed: SearchInput, number: int, *, zone: ZoneInfo, now: datetime) -> SearchInput:
    """The search over this number of days of the zone, today included."""
    today = now.astimezone(zone).date()
    return replace(typed, created_from=today - timedelta(days=number - 1), created_to=today)


def get_report(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> Report:
    """The figures of the orders in the viewer's scope that match the filter."""
    store_ids, values = stores_in_scope(viewer, order_filter), order_filter.values
    names = {store.id: store.name for store in viewer.stores}
    days, stores = _totals(
        connection.execute(reports.totals_statement(values, store_ids, zone=order_filter.zone)), names
    )
    reasons = connection.execute(reports.reasons_statement(values, store_ids, most=_MOST_REASONS)).scalars()
    refunds = {
        row["checkout_page_id"]: _refunds(row)
        for row in connection.execute(reports.refunds_statement(values, store_ids)).mappings()
    }
    resends, statuses, changes = (
        _by_store(connection.execute(statement(values, store_ids)))
        for statement in (
            reports.resends_statement,
            reports.subscriptions_statement,
            reports.changes_statement,
        )
    )
    given_back = connection.execute(reports.given_back_statement(values, store_ids))
    orders = Counter[str]()
    for total in stores:
        orders[total.store] += total.orders
    return Report(
        days=tuple(days),
        stores=tuple(stores),
        currencies=_added(stores),
        after_sale=tuple(
            StoreAfterSale(
                store=store.name,
                orders=orders[store.name],
                refunds=refunds.get(store.id, RefundFigures()),
                resends=resends[store.id].total(),
                subscriptions=_subscriptions(statuses[store.id], changes[store.id]),
            )
            for store in viewer.stores
            if orders[store.name]
        ),
        refunds=refunds[None],
        given_back=tuple(
            RefundTotal(names[row.checkout_page_id], row.currency, row.amount, row.unknown)
            for row in given_back
        ),
        refund_words=common_words(reasons),
        resends=_summed(resends).total(),
        subscriptions=_subscriptions(_summed(statuses), _summed(changes)),
    )


def _totals(
    rows: Iterable[Row[date | None, int | None, str, int, int, Decimal]], stores: Mapping[int, str]
) -> tuple[list[DayTotal], list[StoreTotal]]:
    """The figures by day and those by store, each sorted."""
    by_day, by_store = [], []
    for row in rows:
        day, store_id = row.day, row.checkout_page_id
        if day is not None:
            by_day.append(DayTotal(row.currency, row.orders, row.paid, row.revenue, day=day))
        else:
            by_store.append(
                StoreTotal(row.currency, row.orders, row.paid, row.revenue, store=stores[store_id])
            )
    by_day.sort(key=lambda total: (total.day, total.currency))
    by_store.sort(key=lambda total: (total.store, total.currency))
    return by_day, by_store


def common_words(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The words of four letters and more that most of the reasons use, each counted once per reason."""
    counted = Counter(word for reason in reasons for word in {w.casefold() for w in _WORD.findall(reason)})
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WORDS])


def day_filter(order_filter: OrderFilter, day: date) -> OrderFilter:
    """The same search for a single day: the orders behind a bar of the chart."""
    typed = replace(order_filter.typed, created_from=day, created_to=day)
    return parse_filter(typed, zone=ZoneInfo(order_filter.zone))


def store_filter(order_filter: OrderFilter, store: str) -> OrderFilter:
    """The same search in one store alone."""
    return parse_filter(replace(order_filter.typed, stores=(store,)), zone=ZoneInfo(order_filter.zone))


def _refunds(row: RowMapping) -> RefundFigures:
    figures = {name: value for name, value in row.items() if name != "checkout_page_id"}
    if row["median_hours"] is not None:
        figures["median_hours"] = float(row["median_hours"])
    return RefundFigures(**figures)


def _by_store(rows: Iterable[Row[int, str, int]]) -> dict[int, Counter[str]]:
    """The numbers by name of each store; a store without any has none."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row.checkout_page_id][row.name] += row.number
    return counts


def _summed(counts: dict[int, Counter[str]]) -> Counter[str]:
    return sum(counts.values(), Counter[str]())


def _subscriptions(statuses: Counter[str], changes: Counter[str]) -> SubscriptionFigures:
    return SubscriptionFigures(
        active=statuses[SubscriptionStatus.ACTIVE],
        unpaid=statuses[SubscriptionStatus.NOT_PAID],
        cancelled=statuses[SubscriptionStatus.CANCELLED],
        cancellations=changes[SubscriptionAction.CANCEL],
        resumptions=changes[SubscriptionAction.RESUME],
    )


def _added(stores: Iterable[Total]) -> tuple[Total, ...]:
    sums: dict[str, Total] = {}
    for total in stores:
        currency = total.currency
        before = sums.get(currency, Total(currency, 0, 0, Decimal(0)))
        sums[currency] = Total(
            currency,
            orders=before.orders + total.orders,
            paid=before.paid + total.paid,
            revenue=before.revenue + total.revenue,
        )
    return tuple(sorted(sums.values(), key=lambda total: (-total.orders, total.currency)))
