"""The statements of the report on refunds. They read the refund requests of the orders that match a search."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVarTuple

from sqlalchemy import ColumnElement, Numeric, Select, Text, cast, func, literal, select

from db.schema.order_tables import checkout_page, orders
from db.schema.refund_tables import refund_reason, refund_request
from db.schema.statuses import RefundResult, RefundStatus
from db.statements.conditions import SearchValues, matching

Ts = TypeVarTuple("Ts")
IN_OWN_WORDS: Final = "In own words"


class RefundGrouping(StrEnum):
    """What the rows of the report are."""

    REASON = "Reason"
    OPERATOR = "Operator"
    STORE = "Store"


_LABELS: Final[Mapping[RefundGrouping, ColumnElement[str | None]]] = {
    # As the list has it now: what was said beside a listed reason, or in its place, makes no groups.
    RefundGrouping.REASON: func.coalesce(refund_reason.c.reason, IN_OWN_WORDS),
    # Who closed it; of an open one, who has taken it.
    RefundGrouping.OPERATOR: func.coalesce(refund_request.c.closed_by_name, refund_request.c.taken_by_name),
    RefundGrouping.STORE: checkout_page.c.name,
}


def _of(statement: Select[*Ts], values: SearchValues, store_ids: Sequence[int]) -> Select[*Ts]:
    """The statement over the refund requests of the orders. One with a request has a refund status, as an index has."""
    return (
        statement.select_from(refund_request)
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .outerjoin(refund_reason, refund_reason.c.id == refund_request.c.reason_id)
        .where(matching(values, store_ids), orders.c.refund_status.is_not(None))
    )


def groups_statement(
    grouping: RefundGrouping, values: SearchValues, store_ids: Sequence[int], *, most: int
) -> Select[*tuple[object, ...]]:
    """A row per group, the largest first: its label, numbers by result, and hours from request to close."""
    label = cast(_LABELS[grouping], Text)
    closed = refund_request.c.closed_at.is_not(None)
    hours = func.extract("epoch", refund_request.c.closed_at - refund_request.c.requested_at) / 3600
    number = func.count()
    return (
        _of(
            select(
                label.label("label"),
                number.label("requests"),
                func.count().filter(~closed).label("open"),
                *[
                    func.count().filter(refund_request.c.result == result).label(result)
                    for result in RefundResult
                ],
                func.percentile_cont(0.5).within_group(hours).filter(closed).label("median_hours"),
                func.percentile_cont(0.9).within_group(hours).filter(closed).label("p90_hours"),
            ),
            values,
            store_ids,
        )
        .group_by(label)
        .order_by(number.desc(), label)
        .limit(most)
    )


def sums_statement(
    grouping: RefundGrouping, values: SearchValues, store_ids: Sequence[int]
) -> Select[str | None, str, Decimal]:
    """The sums given back, by label and currency."""
    label = cast(_LABELS[grouping], Text)
    currency = refund_request.c.currency
    return (
        _of(
            select(
                label.label("label"),
                currency.label("currency"),
                func.coalesce(func.sum(refund_request.c.amount), literal(0, Numeric)).label("amount"),
            ),
            values,
            store_ids,
        )
        .where(refund_request.c.status == RefundStatus.COMPLETED, refund_request.c.amount.is_not(None))
        .group_by(label, currency)
        .order_by(currency)
    )


def orders_statement(
    grouping: RefundGrouping,
    values: SearchValues,
    store_ids: Sequence[int],
    *,
    label: str | None,
    most: int,
) -> Select[int]:
    """The orders behind a row, the newest first."""
    return (
        _of(select(orders.c.order_id), values, store_ids)
        .where(cast(_LABELS[grouping], Text).is_not_distinct_from(label))
        .group_by(orders.c.order_id)
        .order_by(orders.c.order_id.desc())
        .limit(most)
    )
