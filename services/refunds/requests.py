"""Requesting a refund, and what can be seen of the requests of an order."""

from collections.abc import Iterable, Mapping, Sequence
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
from services.errors import Conflict, OrderNotFound
from services.events.event_types import EventType
from services.money import format_money
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder, lock_order
from services.refunds.decisions import Decision
from services.refunds.parts import NO_PARTS, Part
from services.refunds.plans import find_plan
from services.refunds.proposals import ProposedItem, read_proposal, write_proposal
from services.refunds.reasons import reason_text

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
    version 0.2 whose sum nobody recorded. `reason_id` is the reason of the administrators' list, if one was chosen.
    `decision` (and whose it is) is what the first operator decided where a second one has to approve it.
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
    reason_id: int | None
    proposal: list[ProposedItem] | None
    decision: Decision | None
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    approved_by_name: str | None
    approved_at: datetime | None
    sent_back_by_name: str | None

    @property
    def waits_for_approval(self) -> bool:
        """Whether it was decided and waits for a second operator."""
        return self.is_open and self.decision is not None and self.approved_by_name is None

    @property
    def proposed(self) -> dict[int, Part | None]:
        """By position: the part that the requester asks for, None for all of it. Empty for the whole order."""
        return read_proposal(self.proposal or [])

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
def request_refund(
    connection: Connection,
    viewer: Viewer,
    order_id: int,
    *,
    reason: str = "",
    reason_id: int | None = None,
    positions: Sequence[int] = (),
    parts: Mapping[int, Part] = NO_PARTS,
) -> ActionResult:
    """Put the order into the refund queue: *Refund request has been sent*.

    A reason is required: one of the list (`reason_id`), words of one's own, or both; at most 500 characters as people
    count them. `positions` and `parts` are what the requester proposes to refund; without them it is the whole order.
    Raises `OrderNotFound`, `NotAllowed`, `InvalidInput` (field `reason` or `positions`), `RefundAlreadyRequested`,
    `RefundNotPossible`.
    """
    reason = reason_text(connection, reason_id, reason)
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
    proposal = _proposal(connection, order_id, positions, parts)
    request_id = _insert_request(
        connection, viewer, order, {"reason": reason, "reason_id": reason_id, "proposal": proposal}
    )
    add_event(connection, viewer, order, Event.REFUND_REQUESTED, reason=reason)
    announce(connection, EventType.REFUND_REQUESTED, order, {"request_id": request_id})
    return ActionResult(f"Refund request has been sent for order {order.order_name}.")


def _insert_request(
    connection: Connection, viewer: Viewer, order: LockedOrder, asked: Mapping[str, object]
) -> int:
    """Insert the viewer's request for what is asked; return its ID. Raises `RefundAlreadyRequested`."""
    try:
        request_id: int = connection.execute(
            insert(refund_request)
            .values(
                order_id=order.order_id,
                checkout_page_id=order.checkout_page_id,
                requested_by=viewer.account_id,
                requester_name=viewer.name,
                requester_email=viewer.email,
                **asked,
            )
            .returning(refund_request.c.id)
        ).scalar_one()
    except IntegrityError as error:  # the index has the last word, should the lock ever fail
        raise RefundAlreadyRequested from error
    return request_id


def _proposal(
    connection: Connection, order_id: int, positions: Sequence[int], parts: Mapping[int, Part]
) -> list[ProposedItem] | None:
    """The proposal as JSON, None for the whole order. Raises `InvalidInput` (field `positions`)."""
    if not positions:
        return None
    plan = find_plan(connection, order_id)
    if plan is None:
        raise OrderNotFound
    items = plan.choose(positions, parts)
    return None if plan.is_full(items) else write_proposal(items)


def find_requests_of(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[RefundRequest]]:
    """The requests of these orders that are in scope, newest first."""
    requests: dict[int, list[RefundRequest]] = {order_id: [] for order_id in order_ids}
    for row in connection.execute(requests_statement(), {"order_ids": list(order_ids)}):
        requests[row.order_id].append(request_of(row))
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
        OwnRequest(row.order_name, row.total, row.order_currency, request_of(row))
        for row in connection.execute(statement)
    )


def request_of(row: Row[*tuple[object, ...]]) -> RefundRequest:
    """The request of a row that has all columns of `RefundRequest`."""
    return RefundRequest(**{name: getattr(row, name) for name in RefundRequest.__slots__})


def _columns() -> list[Column[object]]:
    return [refund_request.c[name] for name in RefundRequest.__slots__]
