"""The report on refunds: by reason, operator or store, how many, how much, and how long they took.

Like every report it is about the orders that match a search, no matter when their refunds were requested. Amounts of
different currencies are never added.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from db.statements.refund_report import (
    RefundGrouping as RefundGrouping,
)
from db.statements.refund_report import groups_statement, orders_statement, sums_statement
from services.access import Viewer
from services.audit.recording import record
from services.errors import NotFound
from services.money import plain_amount
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.search import stores_in_scope
from services.spreadsheets import escape_formula

MOST_GROUPS: Final = 200
# As many orders as a search takes IDs of.
_MOST_ORDERS: Final = 10_000
NOBODY: Final = "Nobody yet"
_COLUMNS: Final = (
    *("Requests", "Open", "Full", "Partial", "Refused", "Failed", "Median hours to close"),
    "90 % closed within hours",
)


class NothingBehind(NotFound):
    message = "These orders are no longer among those you can see."


@dataclass(frozen=True, slots=True)
class RefundGroup:
    """One row. `label` is None for requests that no operator has taken yet; hours are None when none was closed.

    `sums` are what was given back, by currency.
    """

    label: str | None
    requests: int
    open: int
    full: int
    partial: int
    refused: int
    failed: int
    median_hours: float | None
    p90_hours: float | None
    sums: tuple[tuple[str, Decimal], ...]

    @property
    def name(self) -> str:
        """The label as people read it."""
        return NOBODY if self.label is None else self.label


def get_refund_report(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, grouping: RefundGrouping
) -> tuple[RefundGroup, ...]:
    """The refund requests of the orders in the viewer's scope that match the filter; the 200 largest groups."""
    store_ids, values = stores_in_scope(viewer, order_filter), order_filter.values
    sums: defaultdict[str | None, list[tuple[str, Decimal]]] = defaultdict(list)
    for row in connection.execute(sums_statement(grouping, values, store_ids)):
        sums[row.label].append((row.currency, row.amount))
    groups = connection.execute(groups_statement(grouping, values, store_ids, most=MOST_GROUPS))
    return tuple(
        RefundGroup(
            row.label,
            row.requests,
            row.open,
            row.full,
            row.partial,
            row.refused,
            row.failed,
            None if row.median_hours is None else float(row.median_hours),
            None if row.p90_hours is None else float(row.p90_hours),
            tuple(sums[row.label]),
        )
        for row in groups
    )


def group_filter(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    grouping: RefundGrouping,
    label: str | None,
) -> OrderFilter:
    """The search for the orders behind a row, by their IDs: of more than 10,000 the newest. Raises `NothingBehind`."""
    order_ids = (
        connection.execute(
            orders_statement(
                grouping,
                order_filter.values,
                stores_in_scope(viewer, order_filter),
                label=label,
                most=_MOST_ORDERS,
            )
        )
        .scalars()
        .all()
    )
    if not order_ids:  # a search without IDs would find everything
        raise NothingBehind
    return parse_filter(
        SearchInput(order_ids=" ".join(map(str, order_ids))), zone=ZoneInfo(order_filter.zone)
    )


def export_refund_report(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    grouping: RefundGrouping,
    *,
    address: str | None,
) -> str:
    """The table as CSV (RFC 4180, with a byte order mark for Excel), one row per group; the audit log gets its row."""
    groups = get_refund_report(connection, viewer, order_filter, grouping)
    details = {"report": "refunds", "by": grouping.value, "rows": len(groups)}
    record(connection, viewer, AuditAction.EXPORT_ORDERS, address=address, details=details)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(_csv_rows(groups, grouping))
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + buffer.getvalue()


def _csv_rows(groups: tuple[RefundGroup, ...], grouping: RefundGrouping) -> Iterator[list[object]]:
    currencies = sorted({currency for group in groups for currency, _ in group.sums})
    yield [grouping.value, *_COLUMNS, *(f"Refunded, {currency}" for currency in currencies)]
    for group in groups:
        sums = dict(group.sums)
        numbers = (group.requests, group.open, group.full, group.partial, group.refused, group.failed)
        hours = ("" if value is None else f"{value:.2f}" for value in (group.median_hours, group.p90_hours))
        amounts = (
            plain_amount(sums[currency], currency).replace(",", "") if currency in sums else ""
            for currency in currencies
        )
        yield [escape_formula(group.name), *numbers, *hours, *amounts]
