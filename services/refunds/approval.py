"""The second approval of a refund above its store's limit, and the way back from it (decision 036).

The first operator decides, as with every *Fulfil*; a second one, who neither decided nor requested it, approves exactly
that or sends it back. Triggers of the database hold the same rules.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, select

from db.schema.audit_actions import AuditAction
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput
from services.money import format_money
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder
from services.refunds.decided import Refund
from services.refunds.deciding import SumChanged, carry_out, decide
from services.refunds.decisions import decided_items_text, decided_parts, decision_of
from services.refunds.request_lock import (
    NO_DECISION,
    FourEyes,
    LockedRequest,
    lock_request,
    update_request,
)
from services.text.input import NOTE_LIMIT, checked_text


class NotSecond(Conflict):
    """The viewer decided or requested the refund."""


class DecisionChanged(Conflict):
    message = "The decision has changed since it was shown. Please look at it again."


def needs_approval(connection: Connection, order: LockedOrder, refund: Refund) -> bool:
    """Whether the sum, with what was given back of the order before, is above the store's limit now."""
    return bool(
        connection.execute(
            select(func.refund_needs_approval(order.order_id, refund.currency, refund.amount))
        ).scalar_one()
    )


def wait_for_approval(
    connection: Connection, author: Viewer, order: LockedOrder, request: LockedRequest, refund: Refund
) -> ActionResult:
    """Record what was decided; nothing else happens until it is approved. The request stays its decider's."""
    update_request(
        connection,
        request,
        **{
            **NO_DECISION,
            "decision": decision_of(refund),
            "decided_by": int(author.account_id),
            "decided_by_name": author.name,
            "decided_at": func.now(),
            "note": refund.note,
            "sent_back_by_name": None,
        },
    )
    add_event(
        connection,
        author,
        order,
        Event.REFUND_DECIDED,
        amount=refund.sum_text,
        items=refund.items_text,
        note=refund.note,
    )
    return ActionResult(
        f"The refund of {refund.sum_text} for order {order.order_name} waits for the approval of a second operator.",
        {"request": request.id, "waits for": "a second operator", **refund.details()},
    )


@action(AuditAction.APPROVE_REFUND)
def approve_request(
    connection: Connection, viewer: Viewer, request_id: int, *, decided_at: datetime
) -> ActionResult:
    """Approve the decision that was made at `decided_at`, and carry it out exactly as it is.

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestAwaited`, `DecisionChanged`, `NotSecond`,
    `FourEyes`, and `SumChanged` when the order has changed so that the decision no longer holds.
    """
    order, request = _lock_decided(connection, viewer, request_id, decided_at)
    if order.refund_four_eyes and request.requested_by == request.decided_by:
        raise FourEyes("Who requested this refund decided it. In this store another operator has to do that.")
    refund = _refund_decided(connection, order, request)
    update_request(
        connection,
        request,
        approved_by=int(viewer.account_id),
        approved_by_name=viewer.name,
        approved_at=func.now(),
    )
    add_event(
        connection,
        viewer,
        order,
        Event.REFUND_APPROVED,
        decided_by=request.decided_by_name or "",
        amount=refund.sum_text,
        items=refund.items_text,
    )
    result = carry_out(connection, viewer, order, request, refund)
    return replace(result, details={**result.details, "decided by": request.decided_by_name})


@action(AuditAction.SEND_BACK_REFUND)
def send_back_request(
    connection: Connection, viewer: Viewer, request_id: int, *, decided_at: datetime, note: str
) -> ActionResult:
    """Give the decision back to its decider, with a note. Raises as `approve_request` does, and `InvalidInput`."""
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = _lock_decided(connection, viewer, request_id, decided_at)
    update_request(connection, request, **{**NO_DECISION, "note": note, "sent_back_by_name": viewer.name})
    details = _add_decision_event(connection, viewer, order, request, Event.REFUND_SENT_BACK, note)
    return ActionResult(
        f"The refund for order {order.order_name} was sent back to {request.decided_by_name}.", details
    )


@action(AuditAction.WITHDRAW_REFUND)
def withdraw_decision(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """Take a decision back before it is approved: for its decider and administrators. The request stays taken.

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestAwaited`, `DecisionChanged`.
    """
    order, request = lock_request(connection, viewer, request_id, may_be_decided=True)
    if not request.waits_for_approval:
        raise DecisionChanged
    if request.decided_by != viewer.account_id and not viewer.may_administer:
        raise NotSecond(f"Only {request.decided_by_name} and administrators can withdraw this decision.")
    update_request(connection, request, **{**NO_DECISION, "note": None})
    details = _add_decision_event(connection, viewer, order, request, Event.REFUND_WITHDRAWN)
    return ActionResult(f"The decision on order {order.order_name} was withdrawn.", details)


def why_not_second(viewer: Viewer, *, decided_by: int | None, requested_by: int | None) -> str | None:
    """The reason in a sentence why the viewer cannot approve this decision; None when they can."""
    if decided_by is None or decided_by == viewer.account_id:
        return "You decided this refund. A second operator has to approve it."
    if requested_by == viewer.account_id:
        return "You requested this refund. Another operator has to approve it."
    return None


def _lock_decided(
    connection: Connection, viewer: Viewer, request_id: int, decided_at: datetime
) -> tuple[LockedOrder, LockedRequest]:
    order, request = lock_request(connection, viewer, request_id, with_related=True, may_be_decided=True)
    if not request.waits_for_approval or request.decided_at != decided_at:
        raise DecisionChanged
    why = why_not_second(viewer, decided_by=request.decided_by, requested_by=request.requested_by)
    if why is not None:
        raise NotSecond(why)
    return order, request


def _refund_decided(connection: Connection, order: LockedOrder, request: LockedRequest) -> Refund:
    """The decision as a refund. Raises `SumChanged` when the order comes to something else now."""
    decision = request.decision
    if decision is None:
        raise DecisionChanged
    parts = decided_parts(decision)
    try:
        refund = decide(
            connection,
            order,
            positions=list(parts),
            parts=parts,
            expected_amount=Decimal(decision["amount"]),
            delete_codes=decision["delete_codes"],
            stop_renewal=decision["stop_renewal"],
            note=request.note or "",
        )
    except (InvalidInput, SumChanged) as error:
        raise SumChanged(_CHANGED) from error
    if decision_of(refund) != decision:
        raise SumChanged(_CHANGED)
    return refund


_CHANGED = "The order has changed since this was decided. Please send it back."


def _add_decision_event(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    request: LockedRequest,
    event: Event,
    note: str = "",
) -> dict[str, object]:
    """The history's line about a decision that is no longer one; returns what the audit log keeps of it."""
    decision = request.decision
    if decision is None:
        raise DecisionChanged
    amount = format_money(Decimal(decision["amount"]), decision["currency"])
    items = decided_items_text(decision)
    values = {"decided_by": request.decided_by_name or "", "note": note, "amount": amount, "items": items}
    add_event(connection, viewer, order, event, document_id=None, **values)
    return {"request": request.id, "sum": amount, "items": items, "decided by": request.decided_by_name}
