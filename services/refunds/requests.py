"""Requesting a refund, and what can be seen of the requests of an order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Column, Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import orders
from db.schema.refund_tables import refund_request
from db.schema.statuses import MainStatus, RefundResult, RefundStatus
from db.statements.order_detail import requests_statement
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict
from services.events.event_types import EventType
from services.money import format_money
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.locking import lock_order
from services.text.input import REASON_LIMIT, checked_text

SUM_NOT_RECORDED: Final = "sum not recorded"
OPEN: Final = (RefundStatus.REQUESTED, RefundStatus.UPDATING)


class RefundNotPossible(Conflict):
    """The order is not paid, costs nothing, or was refunded."""


class RefundAlreadyRequested(Conflict):
    message = "A refund request for this order is being processed already."


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """One request and how it went. Times are aware; `result` is None until it is closed.

    `amount` and `currency` say what was given back; both are None unless it is completed, and for a refund of before
    version 0.2 whose sum nobody recorded.
    """

    id: int
    order_id: int
    status: str
    result: str | None
    reason: str
    requested_by: int | None
    requester_name: str
    requested_at: datetime
    taken_by: int | None
    taken_by_name: str | None
    taken_at: datetime | None
    closed_by_name: str | None
    closed_at: datetime | None
    note: str | None
    amount: Decimal | None
    currency: str | None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def sum_words(self) -> str | None:
        """The sum given back, as people read it; None for a request that is not completed."""
        if self.amount is not None and self.currency is not None:
            return format_money(self.amount, self.currency)
        return SUM_NOT_RECORDED if self.status == RefundStatus.COMPLETED else None


def why_not_requested(
    *, status: str, total: Decimal, again_after_partial: bool, requests: Iterable[tuple[str, str | None]]
) -> Conflict | None:
    """None when a refund may be requested, else the error that says why not.

    `requests` are (status, result) of the order's requests. A refused one does not prevent another; a
    partial one does, unless the store says otherwise.
    """
    earlier = list(requests)
    if any(request_status in OPEN for request_status, _ in earlier):
        return RefundAlreadyRequested()
    if any(
        request_status == RefundStatus.COMPLETED
        and not (result == RefundResult.PARTIAL and again_after_partial)
        for request_status, result in earlier
    ):
        return RefundNotPossible("This order has been refunded already.")
    if status != MainStatus.PAID:
        return RefundNotPossible("Only a Paid order can be refunded.")
    if total <= 0:
        return RefundNotPossible("There is nothing to refund: the order's total is zero.")
    return None


@action(AuditAction.REQUEST_REFUND)
def request_refund(connection: Connection, viewer: Viewer, order_id: int, *, reason: str) -> ActionResult:
    """Put the order into the refund queue: *Refund request has been sent*.

    `reason` is required, at most 500 characters as people count them. Raises `OrderNotFound`, `NotAllowed`,
    `InvalidInput` (field `reason`), `RefundAlreadyRequested`, `RefundNotPossible`.
    """
    reason = checked_text(reason, field="reason", name="The reason", limit=REASON_LIMIT)
    order = lock_order(connection, viewer, order_id)
    earlier = connection.execute(
        select(refund_request.c.status, refund_request.c.result).where(refund_request.c.order_id == order_id)
    )
    error = why_not_requested(
        status=order.status,
        total=order.total,
        again_after_partial=order.refund_again_after_partial,
        requests=((row.status, row.result) for row in earlier),
    )
    if error:
        raise error
    try:
        request_id = connection.execute(
            insert(refund_request)
            .values(
                order_id=order_id,
                checkout_page_id=order.checkout_page_id,
                reason=reason,
                requested_by=viewer.account_id,
                requester_name=viewer.name,
                requester_email=viewer.email,
            )
            .returning(refund_request.c.id)
        ).scalar_one()
    except IntegrityError as error:  # the index has the last word, should the lock ever fail
        raise RefundAlreadyRequested from error
    add_event(connection, viewer, order, Event.REFUND_REQUESTED, reason=reason)
    announce(connection, EventType.REFUND_REQUESTED, order, {"request_id": request_id})
    return ActionResult(f"Refund request has been sent for order {order.order_name}.")


def find_requests_of(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[RefundRequest]]:
    """The requests of these orders that are in scope, newest first."""
    requests: dict[int, list[RefundRequest]] = {order_id: [] for order_id in order_ids}
    for row in connection.execute(requests_statement(), {"order_ids": list(order_ids)}):
        requests[row.order_id].append(_request(row))
    return requests


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request of the viewer's, with the order that it is about."""

    order_name: str
    total: Decimal
    currency: str
    request: RefundRequest


def find_own_requests(
    connection: Connection, viewer: Viewer, *, limit: int = 50, before: int | None = None
) -> tuple[OwnRequest, ...]:
    """The viewer's own requests, newest first; `before` (a request's ID) goes on where an earlier page ended."""
    statement = (
        select(*_columns(), orders.c.order_name, orders.c.total, orders.c.currency.label("order_currency"))
        .join(orders, orders.c.order_id == refund_request.c.order_id)
        .where(refund_request.c.requested_by == viewer.account_id)
        .order_by(refund_request.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(refund_request.c.id < before)
    return tuple(
        OwnRequest(row.order_name, row.total, row.order_currency, _request(row))
        for row in connection.execute(statement)
    )


def _columns() -> list[Column[object]]:
    return [refund_request.c[name] for name in RefundRequest.__slots__]


def _request(row: Row[*tuple[object, ...]]) -> RefundRequest:
    return RefundRequest(**{name: getattr(row, name) for name in RefundRequest.__slots__})
