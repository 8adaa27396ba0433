"""The actions of refund operators on a request. Their view of the queue is in `services.refunds.queue`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection, func

from db.schema.audit_actions import AuditAction
from db.schema.statuses import RefundResult, RefundStatus
from services.access import Viewer
from services.actions import ActionResult, action
from services.events.event_types import EventType
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.refunds.approval import needs_approval, wait_for_approval
from services.refunds.completion import turn_down
from services.refunds.deciding import carry_out, decide
from services.refunds.parts import NO_PARTS, Part
from services.refunds.request_lock import (
    NO_DECISION,
    RequestNotTaken,
    check_four_eyes,
    check_taken,
    lock_request,
    taken_sentence,
    update_request,
)
from services.text.input import NOTE_LIMIT, checked_text


@action(AuditAction.TAKE_REFUND)
def take_request(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """Take the request on for the viewer: *Refund info is being updated*.

    Raises `RequestNotFound`, `NotAllowed`, `RequestClosed`, `RequestAwaited`, `RequestDecided`, `FourEyes`, and
    `RequestNotTaken` when another operator has it.
    """
    order, request = lock_request(connection, viewer, request_id)
    if request.status == RefundStatus.UPDATING:
        raise RequestNotTaken(taken_sentence(viewer, request))
    check_four_eyes(viewer, order, request)
    update_request(
        connection,
        request,
        status=RefundStatus.UPDATING,
        taken_by=viewer.account_id,
        taken_by_name=viewer.name,
        taken_at=func.now(),
    )
    add_event(connection, viewer, order, Event.REFUND_TAKEN)
    announce(connection, EventType.REFUND_TAKEN, order, {"request_id": request_id})
    return ActionResult(
        f"You have taken the refund request for order {order.order_name}.", {"request": request_id}
    )


@action(AuditAction.RELEASE_REFUND)
def release_request(connection: Connection, viewer: Viewer, request_id: int) -> ActionResult:
    """Put the request back into the queue: for its taker and administrators. Raises as `take_request` does."""
    order, request = lock_request(connection, viewer, request_id)
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken("Nobody has taken this refund request.")
    if request.taken_by != viewer.account_id and not viewer.may_administer:
        raise RequestNotTaken(taken_sentence(viewer, request))
    update_request(
        connection,
        request,
        status=RefundStatus.REQUESTED,
        **dict.fromkeys(("taken_by", "taken_by_name", "taken_at")),
        **NO_DECISION,
    )
    add_event(connection, viewer, order, Event.REFUND_RELEASED)
    return ActionResult(
        f"The refund request for order {order.order_name} is back in the queue.", {"request": request_id}
    )


@action(AuditAction.FULFIL_REFUND)
def fulfil_request(
    connection: Connection,
    viewer: Viewer,
    request_id: int,
    *,
    positions: Sequence[int],
    expected_amount: Decimal,
    delete_codes: bool,
    stop_renewal: bool,
    note: str,
    parts: Mapping[int, Part] = NO_PARTS,
) -> ActionResult:
    """Close the request as *Request has been completed* for the items at `positions`, or for `parts` of them.

    `expected_amount` is the sum that was shown and confirmed: the refund's sum is decided here, under the order's lock,
    and one that differs raises `SumChanged`. Of items of which nothing is left then, the activation codes are marked
    deleted and the subscriptions cancelled if asked for; the order becomes Deleted once all its items are refunded;
    payment methods that need one get a refund document; the requester is mailed. Where a connection of the store has to
    confirm it, all of that waits for the answer (decision 026); above the store's limit it waits for the approval of a
    second operator before (decision 036). Raises as `take_request` does, and `InvalidInput` with `field` "positions" or
    "note".
    """
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = lock_request(connection, viewer, request_id, with_related=stop_renewal)
    check_taken(viewer, request)
    check_four_eyes(viewer, order, request)
    refund = decide(
        connection,
        order,
        positions=positions,
        parts=parts,
        expected_amount=expected_amount,
        delete_codes=delete_codes,
        stop_renewal=stop_renewal,
        note=note,
    )
    if needs_approval(connection, order, refund):
        return wait_for_approval(connection, viewer, order, request, refund)
    if request.decision is not None:  # approved, and not delivered: this is another decision
        update_request(connection, request, **NO_DECISION)
    return carry_out(connection, viewer, order, request, refund)


@action(AuditAction.REFUSE_REFUND)
def refuse_request(connection: Connection, viewer: Viewer, request_id: int, *, note: str) -> ActionResult:
    """Close the request as *Refusal to refund*. Raises as `take_request` does, and `InvalidInput` (field `note`)."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.REFUSED)


@action(AuditAction.FAIL_REFUND)
def fail_request(connection: Connection, viewer: Viewer, request_id: int, *, note: str) -> ActionResult:
    """Close the request as one that could not be executed; the order's status reads *Refusal to refund* as well."""
    return _turn_down(connection, viewer, request_id, note, RefundResult.FAILED)


def _turn_down(
    connection: Connection, viewer: Viewer, request_id: int, note: str, result: RefundResult
) -> ActionResult:
    note = checked_text(note, field="note", name="A note", limit=NOTE_LIMIT)
    order, request = lock_request(connection, viewer, request_id)
    check_taken(viewer, request)
    update_request(connection, request, **NO_DECISION)
    return turn_down(connection, viewer, order, request, result, note)
