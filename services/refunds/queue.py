"""The refund queue as operators see it: open requests, oldest first, and closed ones, newest first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, any_, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.order_tables import checkout_page, orders
from db.schema.refund_tables import refund_request
from services.access import Viewer
from services.errors import NotAllowed
from services.refunds.request_lock import is_awaited
from services.refunds.requests import OPEN, RefundRequest, request_of


class QueueView(StrEnum):
    OPEN = "Open"
    MINE = "Taken by me"
    CLOSED = "Closed"


PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A request with the columns of its order that the queue shows.

    `is_awaited` says whether a refund of it was recorded that is not confirmed yet: nobody can take or close it.
    """

    request: RefundRequest
    order_name: str
    store: str
    total: Decimal
    currency: str
    payment_method: str | None
    is_awaited: bool


def find_queue(
    connection: Connection,
    viewer: Viewer,
    view: QueueView,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> tuple[QueueRow, ...]:
    """Requests in scope: open ones oldest first, closed ones newest first. Raises `NotAllowed`.

    `after` is (time, ID) of the last row of the page before: of its request, or of its closing.
    """
    if not viewer.may_work_refund_queue:
        raise NotAllowed("Only refund operators and administrators see the refund queue.")
    statement = _queue_statement(view, viewer, after).limit(limit)
    return tuple(
        QueueRow(
            request_of(row),
            row.order_name,
            row.store,
            row.total,
            row.order_currency,
            row.payment_method,
            row.is_awaited,
        )
        for row in connection.execute(statement)
    )


def _queue_statement(
    view: QueueView, viewer: Viewer, after: tuple[datetime, int] | None
) -> Select[*tuple[object, ...]]:
    statement = (
        select(
            *[refund_request.c[name] for name in RefundRequest.__slots__],
            orders.c.order_name,
            orders.c.total,
            orders.c.currency.label("order_currency"),
            orders.c.payment_method,
            checkout_page.c.name.label("store"),
            is_awaited().label("is_awaited"),
        )
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
        .where(_in_scope(viewer))
    )
    if view is QueueView.CLOSED:
        closed_at = refund_request.c.closed_at
        statement = statement.where(closed_at.is_not(None)).order_by(
            closed_at.desc(), refund_request.c.id.desc()
        )
        return statement if after is None else statement.where(tuple_(closed_at, refund_request.c.id) < after)
    requested_at = refund_request.c.requested_at
    statement = statement.where(refund_request.c.status.in_(OPEN)).order_by(requested_at, refund_request.c.id)
    if view is QueueView.MINE:
        statement = statement.where(refund_request.c.taken_by == viewer.account_id)
    return statement if after is None else statement.where(tuple_(requested_at, refund_request.c.id) > after)


def _in_scope(viewer: Viewer) -> ColumnElement[bool]:
    return refund_request.c.checkout_page_id == any_(
        literal([store.id for store in viewer.stores], ARRAY(BigInteger))
    )


def count_open(connection: Connection, viewer: Viewer) -> int:
    """The number of requests in scope that wait or are being worked on."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(refund_request)
            .where(_in_scope(viewer), refund_request.c.status.in_(OPEN))
        ).scalar_one()
    )
