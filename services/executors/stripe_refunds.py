"""Stripe's refunds and failed requests in the portal's own terms.

Sources: https://docs.stripe.com/api/refunds/object (status, failure_reason), https://docs.stripe.com/error-codes.
"""

from typing import Final

import stripe

from services.executors.interface import Accepted, Json, Refused, Result, Succeeded, TryLater
from services.executors.stripe_amounts import from_stripe

_LONGEST: Final = 300
_LONGEST_PAUSE: Final = 7 * 86400.0
_FAILURES: Final = {
    "lost_or_stolen_card": "the card was reported lost or stolen",
    "expired_or_canceled_card": "the card has expired or was cancelled",
    "charge_for_pending_refund_disputed": "the customer disputes the payment",
    "insufficient_funds": "the Stripe balance does not cover it",
    "declined": "the customer's bank declined it",
    "merchant_request": "it was taken back at the merchant's request",
}
_CODES: Final = {
    "charge_already_refunded": "Stripe says that this payment has been paid back in full already.",
    "charge_disputed": "Stripe says that the customer disputes this payment; it cannot be paid back as well.",
    "balance_insufficient": "The Stripe balance does not cover this refund.",
    "insufficient_funds": "The Stripe balance does not cover this refund.",
    "resource_missing": "Stripe does not know this payment. Is the connection's key of the right account and mode?",
}
WRONG_KEY: Final = "Stripe does not accept the connection's key."
NO_PERMISSION: Final = "The connection's key lacks the permission to write refunds in Stripe."


def result_of(refund: Json) -> Result:
    """The meaning of a refund's status for the action."""
    refund_id, status = refund.get("id"), refund.get("status")
    if status == "succeeded":
        return Succeeded(refund_id, from_stripe(int(refund["amount"]), str(refund["currency"])))
    if status in ("pending", "requires_action"):
        return Accepted(refund_id)
    if status == "failed":
        reason = _FAILURES.get(str(refund.get("failure_reason")), "the bank gave no reason")
        return Refused(f"Stripe could not pay back: {reason}.", refund_id)
    if status == "canceled":
        return Refused("The refund was cancelled in Stripe.", refund_id)
    return TryLater("Stripe answered with a refund of an unknown status.")


def result_of_error(error: stripe.StripeError) -> Refused | TryLater:
    """Whether to try again: only an answer that will stay the same is final."""
    if isinstance(error, stripe.RateLimitError):
        return TryLater("Stripe asks to send less.", error.http_status, _retry_after(error))
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return Refused(_sentence(error))
    if isinstance(error, stripe.AuthenticationError):
        return TryLater(WRONG_KEY, error.http_status)
    if isinstance(error, stripe.PermissionError):
        return TryLater(NO_PERMISSION, error.http_status)
    if isinstance(error, stripe.APIConnectionError):
        return TryLater("Stripe could not be reached, or did not answer in time.")
    status = f" ({error.http_status})" if error.http_status else ""
    return TryLater(f"Stripe had an error of its own{status}.", error.http_status, _retry_after(error))


def _sentence(error: stripe.StripeError) -> str:
    if error.code in _CODES:
        return _CODES[error.code]
    said = "".join(c if c.isprintable() else " " for c in error.user_message or "")[:_LONGEST].strip()
    return f"Stripe refused: {said}" if said else "Stripe refused, without giving a reason."


def _retry_after(error: stripe.StripeError) -> float | None:
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    value = headers.get("retry-after", "").strip()
    return min(float(value[:9]), _LONGEST_PAUSE) if value.isascii() and value.isdigit() else None
