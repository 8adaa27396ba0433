"""What is done with each order of a run: the single actions, and those that repeat one over the items of an order."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection

from db.schema.audit_actions import AuditAction
from db.schema.bulk_states import BulkKind
from services.access import Viewer
from services.actions import Action, ActionResult, action
from services.bulk.facts import OrderFacts, find_facts
from services.bulk.rules import positions_to_change, why_not_done
from services.errors import OrderNotFound
from services.order_actions.cancellation import cancel_unpaid_order
from services.order_actions.licences import LicenceNotSent, resend_licence
from services.order_actions.locking import lock_order, lock_orders
from services.order_actions.notes import add_note
from services.order_actions.subscription_changes import related_orders
from services.order_actions.subscriptions import (
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.refunds.requests import request_refund
from services.text.input import NOTE_LIMIT, REASON_LIMIT, checked_text


class TextField(NamedTuple):
    """The text that a kind of action takes: the argument's name, what sentences call it, and its limit."""

    argument: str
    name: str
    limit: int
    is_required: bool


_REASON: Final = TextField("reason", "The reason", REASON_LIMIT, True)
_OPTIONAL_REASON: Final = _REASON._replace(is_required=False)
TEXT_FIELDS: Final[Mapping[BulkKind, TextField | None]] = {
    BulkKind.REQUEST_REFUND: _REASON,
    BulkKind.RESEND_LICENCES: None,
    BulkKind.CANCEL_RENEWAL: _OPTIONAL_REASON,
    BulkKind.RESUME_RENEWAL: _OPTIONAL_REASON,
    BulkKind.ADD_NOTE: TextField("text", "The note", NOTE_LIMIT, True),
    BulkKind.CANCEL_UNPAID: _REASON,
}


def entered_text(kind: BulkKind, text: str) -> str | None:
    """The text as the action takes it; None for a kind without one. Raises `InvalidInput` (field `text`)."""
    wanted = TEXT_FIELDS[kind]
    if wanted is None:
        return None
    return checked_text(text, field="text", name=wanted.name, limit=wanted.limit, required=wanted.is_required)


def arguments_of(kind: BulkKind, text: str | None) -> Mapping[str, str]:
    """The keyword arguments of the kind's action."""
    wanted = TEXT_FIELDS[kind]
    return {} if wanted is None else {wanted.argument: text or ""}


@action(AuditAction.RESEND_LICENCE)
def resend_licences(connection: Connection, viewer: Viewer, order_id: int) -> ActionResult:
    """Queue a mail for each activation code of the order that is live. Raises as `resend_licence`."""
    lock_order(connection, viewer, order_id)
    order = _facts(connection, order_id, BulkKind.RESEND_LICENCES)
    if why_not := why_not_done(BulkKind.RESEND_LICENCES, order):
        raise LicenceNotSent(why_not)
    live = [code.id for code in order.codes if code.is_live]
    results = [resend_licence(connection, viewer, order_id, code_id=code_id) for code_id in live]
    return ActionResult(
        f"The licences of order {order.order_name} are being sent to {order.email}.",
        {"codes": [dict(result.details) for result in results]},
    )


@action(AuditAction.CANCEL_SUBSCRIPTION)
def cancel_renewals(
    connection: Connection, viewer: Viewer, order_id: int, *, reason: str = ""
) -> ActionResult:
    """Switch off the renewal of every subscription of the order that can be. Raises as `cancel_subscription`."""
    return _change_renewals(connection, viewer, order_id, BulkKind.CANCEL_RENEWAL, reason)


@action(AuditAction.RESUME_SUBSCRIPTION)
def resume_renewals(
    connection: Connection, viewer: Viewer, order_id: int, *, reason: str = ""
) -> ActionResult:
    """Switch on the renewal of every subscription of the order that can be. Raises as `resume_subscription`."""
    return _change_renewals(connection, viewer, order_id, BulkKind.RESUME_RENEWAL, reason)


def _change_renewals(
    connection: Connection, viewer: Viewer, order_id: int, kind: BulkKind, reason: str
) -> ActionResult:
    # All orders of all its subscriptions at once: one after the other would not be by rising ID.
    lock_orders(connection, viewer, related_orders(connection, order_id))
    order = _facts(connection, order_id, kind)
    if why_not := why_not_done(kind, order):
        raise SubscriptionUnchanged(why_not)
    change = cancel_subscription if kind is BulkKind.CANCEL_RENEWAL else resume_subscription
    results = []
    for position in positions_to_change(kind, order):
        # Two items may carry the same subscription, which the first change has changed for both.
        if position in positions_to_change(kind, _facts(connection, order_id, kind)):
            results.append(change(connection, viewer, order_id, position=position, reason=reason))
    waits = next((result for result in results if "waits for" in result.details), None)
    return ActionResult(
        (waits or results[0]).sentence,
        {"subscriptions": [dict(result.details) for result in results]}
        | ({"waits for": waits.details["waits for"]} if waits else {}),
    )


def _facts(connection: Connection, order_id: int, kind: BulkKind) -> OrderFacts:
    facts = find_facts(connection, [order_id], kind)
    if order_id not in facts:
        raise OrderNotFound
    return facts[order_id]


ACTIONS: Final[Mapping[BulkKind, Action[...]]] = {
    BulkKind.REQUEST_REFUND: request_refund,
    BulkKind.RESEND_LICENCES: resend_licences,
    BulkKind.CANCEL_RENEWAL: cancel_renewals,
    BulkKind.RESUME_RENEWAL: resume_renewals,
    BulkKind.ADD_NOTE: add_note,
    BulkKind.CANCEL_UNPAID: cancel_unpaid_order,
}
