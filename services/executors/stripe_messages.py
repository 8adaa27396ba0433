"""Messages of Stripe: what became of refunds that the portal asked for.

Verified by Stripe's own library, stored in the inbox under the event's ID and carried out by the worker. A refund is
recognised by the action that its metadata names, or by its own ID. Sources: https://docs.stripe.com/webhooks,
https://docs.stripe.com/refunds.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, or_, select
from stripe import SignatureVerificationError, WebhookSignature

from db.schema.connection_states import InboxState
from db.schema.connection_tables import awaited_action
from services.connections.answers import ActionAnswer, SettleOutcome, settle, take_back
from services.connections.incoming import Handler, Outcome, Reading, Sender, WaitingMessage, WrongMessage
from services.events.awaiting import OPEN_STATES
from services.executors.interface import Json, Refused, Succeeded
from services.executors.stripe_refunds import result_of

TOLERANCE_SECONDS: Final = 300
_LONGEST_ID: Final = 255
_LONGEST_TYPE: Final = 100
# A key that nobody has: an unknown address takes as long as a known one.
_NOBODYS_SECRET: Final = "whsec_" + "0" * 32
UNREADABLE: Final = "unreadable"
NOT_OURS: Final = (
    "This refund was not asked for by the portal: it was made in Stripe's dashboard, or by another system."
)
UNKNOWN_ACTION: Final = "This connection was not asked for the refund that this is about."
STILL_UNDER_WAY: Final = "The refund is still under way."
ANSWERED_BEFORE: Final = "The refund was answered before."
TAKEN_BACK: Final = "The refund had succeeded before: the customer does not have the money after all."


class StripeReceiver:
    """Verifies by the header `Stripe-Signature`, whose age counts as well."""

    def verify(self, secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> bool:
        header = headers.get("stripe-signature", "")
        valid = [_is_signed(secret, header, body) for secret in secrets or (_NOBODYS_SECRET,)]
        return bool(secrets) and any(valid)

    def read(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Reading:
        event = _event(body)
        event_id, kind = _text(event, "id", _LONGEST_ID), _text(event, "type", _LONGEST_TYPE)
        at = _time(event.get("created"))
        if kind not in STRIPE_HANDLERS:
            reason = f"Events of the type {kind} mean nothing here."
            return Reading(event_id, kind, occurred_at=at, ignored=reason)
        try:
            _refund(event)
        except WrongMessage as error:
            return Reading(event_id, kind, occurred_at=at, refused=error)
        return Reading(event_id, kind, occurred_at=at)


def settle_refund(connection: Connection, waiting: WaitingMessage) -> Outcome:
    """Give what Stripe says of a refund to the action that asked for it."""
    refund = _refund(_event(waiting.body))
    if waiting.connection_id is None:
        return Outcome(InboxState.REFUSED, None, UNKNOWN_ACTION)
    action_id = _action_of(connection, refund, waiting.connection_id)
    if action_id is None:
        return Outcome(InboxState.IGNORED, None, NOT_OURS)
    result = result_of(refund)
    if isinstance(result, Succeeded):
        answer = ActionAnswer(succeeded=True, external_id=result.external_id, amount=result.amount)
    elif isinstance(result, Refused):
        answer = ActionAnswer(succeeded=False, message=result.message, external_id=result.external_id)
    else:
        return Outcome(InboxState.UNCHANGED, None, STILL_UNDER_WAY)
    outcome = settle(connection, action_id, answer, from_connection_id=waiting.connection_id)
    if outcome is SettleOutcome.UNKNOWN:
        return Outcome(InboxState.IGNORED, None, UNKNOWN_ACTION)
    if outcome is not SettleOutcome.REPEATED:
        return Outcome(InboxState.APPLIED)
    if isinstance(result, Refused) and take_back(
        connection, action_id, result.message, from_connection_id=waiting.connection_id
    ):
        return Outcome(InboxState.APPLIED, None, TAKEN_BACK)
    return Outcome(InboxState.UNCHANGED, None, ANSWERED_BEFORE)


STRIPE_HANDLERS: Final[Mapping[str, Handler]] = {
    "refund.updated": settle_refund,
    "refund.failed": settle_refund,
    "charge.refund.updated": settle_refund,  # the older name of the first, which accounts may still be set to
}


def _is_signed(secret: str, header: str, body: bytes) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS))
    except (SignatureVerificationError, ValueError, TypeError):
        # The library raises plain errors for bytes that are not UTF-8, and for signatures that are not ASCII.
        return False


def _event(body: bytes) -> Json:
    try:
        event: object = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise WrongMessage(None, "The body is not a JSON document in UTF-8.") from None
    if not isinstance(event, dict):
        raise WrongMessage(None, "An event of Stripe, a JSON object, is expected.")
    return event


def _text(event: Json, name: str, longest: int) -> str:
    value: object = event.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise WrongMessage(name, f"A text of 1 to {longest} characters is expected.")
    return value


def _time(created: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(created, UTC) if type(created) is int else None
    except (ValueError, OverflowError, OSError):
        return None


def _refund(event: Json) -> Json:
    """The refund that the event is about, as far as it is read here; raises `WrongMessage`."""
    data: object = event.get("data")
    refund: object = data.get("object") if isinstance(data, dict) else None
    if not isinstance(refund, dict) or refund.get("object") != "refund":
        raise WrongMessage("data.object", "A refund is expected.")
    refund_id, amount, currency = refund.get("id"), refund.get("amount"), refund.get("currency")
    if not isinstance(refund_id, str) or not 0 < len(refund_id) <= _LONGEST_ID or not refund_id.isprintable():
        raise WrongMessage("data.object.id", "The ID of a refund is expected.")
    if type(amount) is not int or not 0 <= amount < 10**15:
        raise WrongMessage("data.object.amount", "A whole number of minor units is expected.")
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isascii():
        raise WrongMessage("data.object.currency", "A currency of three letters is expected.")
    return refund


def _action_of(connection: Connection, refund: Json, connection_id: int) -> UUID | None:
    """The action that the refund's metadata names, or that has come to this refund: the one that waits, if any does.

    Two have, when the first was given up, pressed again, and the refund of the first was found.
    """
    about: object = refund.get("metadata")
    named = _uuid(about.get("action_id")) if isinstance(about, dict) else None
    found: UUID | None = connection.execute(
        select(awaited_action.c.id)
        .where(
            or_(
                awaited_action.c.id == named,
                (awaited_action.c.external_id == refund["id"])
                & (awaited_action.c.connection_id == connection_id),
            )
        )
        .order_by(awaited_action.c.state.in_(OPEN_STATES).desc(), awaited_action.c.recorded_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found or named


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
