"""Stripe as executor of refunds, by its own library.

A refund is made once, whatever happens in between: the request's number is the idempotency key, which Stripe remembers
for at least 24 hours and our attempts go on for longer; so each attempt first looks whether the refund is there.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

import requests
import stripe
from sqlalchemy import select
from stripe import RequestsClient, StripeClient
from stripe.params import RefundCreateParams, RefundListParams

from db.connections.engine import jobs_transaction
from db.schema.connection_states import AwaitedKind
from db.schema.connection_tables import awaited_action
from services.events.event_types import EventType
from services.executors.interface import (
    Json,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Payment,
    Refused,
    Result,
    Succeeded,
    TryLater,
)
from services.executors.refund_wish import RefundWish, read_wish
from services.executors.stripe_amounts import InexactAmount, from_stripe, to_stripe
from services.executors.stripe_refunds import WRONG_KEY, result_of, result_of_error
from services.money import format_money
from services.settings import settings

T = TypeVar("T")

PROVIDER: Final = "stripe"
# The release of Stripe's interface that the library was made for and this file was written against.
API_VERSION: Final = "2026-10-28.endive"
SECONDS: Final = 20.0
KEY: Final = "esupport-refund-{}"
# For how long a key alone proves that nothing was done, an hour less than Stripe promises.
_KEY_LASTS: Final = timedelta(hours=23)
# A payment by its intent, or by the charge itself; of an older interface or of other ways to pay than cards.
_REFERENCES: Final = {"pi_": "payment_intent", "ch_": "charge", "py_": "charge"}

# Neither how long our requests took nor the names of our machine are Stripe's business.
stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class StripeExecutor:
    """Refunds of payments that an order names as `{"provider": "stripe", "reference": "pi_…"}`."""

    seconds: float = SECONDS

    @property
    def title(self) -> str:
        return "Stripe"

    def can_refund(self, payment: Payment, options: Json) -> str | None:
        if payment.provider is not None and payment.provider.casefold() != PROVIDER:
            return f"The order was paid with {payment.provider[:64]}, not with Stripe."
        if payment.reference is None:
            return "The order does not say which payment of Stripe it was paid with."
        if payment.reference[:3] not in _REFERENCES:
            return "The order's payment reference is none of Stripe's: those begin with pi_ or ch_."
        try:
            if payment.amount is not None:
                to_stripe(payment.amount, payment.currency)
        except InexactAmount as error:
            return str(error)
        return None

    def send(self, outgoing: OutgoingEvent) -> Result:
        if outgoing.event is not EventType.REFUND_APPROVED:
            return NothingToDo()
        wish = read_wish(outgoing)
        if wish.amount == 0:
            return Succeeded(None, wish.amount)  # free items: there is nothing to move
        reason = self.can_refund(wish.payment(outgoing), outgoing.options)
        if reason is not None:
            return Refused(reason)
        try:
            base = _api_base(outgoing.options)
            units = to_stripe(wish.amount, wish.currency)
        except _ForeignHost as error:
            return NotSent(str(error))
        except InexactAmount as error:
            return Refused(str(error))
        result: Result = TryLater("The connection has no key.")
        for secret in outgoing.secrets:  # two during a rotation
            result = self._refund(secret, base, outgoing, wish, units)
            if result != TryLater(WRONG_KEY, 401):
                break
        return result

    def _refund(
        self, secret: str, base: str, outgoing: OutgoingEvent, wish: RefundWish, units: int
    ) -> Result:
        with requests.Session() as session:
            client = _client(secret, base, session, self.seconds)
            try:
                return _look(client, outgoing, wish, units) or _create(client, outgoing, wish, units)
            except stripe.StripeError as error:
                return result_of_error(error)


def check_key(secret: str, options: Json) -> str | None:
    """Ask Stripe for its newest refund, which changes nothing; why the key does not do, None for one that does."""
    try:
        base = _api_base(options)
    except _ForeignHost as error:
        return str(error)
    with requests.Session() as session:
        try:
            _client(secret, base, session, SECONDS).v1.refunds.list({"limit": 1})
        except stripe.StripeError as error:
            result = result_of_error(error)
            return result.message if isinstance(result, Refused) else result.reason
    return None


def _client(secret: str, base: str, session: requests.Session, seconds: float) -> StripeClient:
    # The key goes to Stripe and nowhere else: not to where an answer or the environment leads.
    session.max_redirects, session.trust_env = 0, False
    return StripeClient(
        secret,
        stripe_version=API_VERSION,
        base_addresses={"api": base},
        http_client=RequestsClient(timeout=seconds, session=session),
        max_network_retries=0,
    )


class _ForeignHost(Exception):
    pass


def _api_base(options: Json) -> str:
    """Stripe's address; another one (tests) only at a host that `ESUPPORT_HOOK_HOSTS` names, for it gets the key."""
    base = options.get("api_base")
    if base is None:
        return stripe.DEFAULT_API_BASE
    parts = urlsplit(str(base))
    if parts.scheme in ("http", "https") and (parts.hostname or "") in settings().web.hook_hosts:
        return str(base).rstrip("/")
    raise _ForeignHost(
        "The connection's api_base is a host that ESUPPORT_HOOK_HOSTS does not name; nothing was sent."
    )


def _reference(wish: RefundWish) -> dict[str, str]:
    reference = wish.reference or ""
    return {_REFERENCES[reference[:3]]: reference}


def _look(client: StripeClient, outgoing: OutgoingEvent, wish: RefundWish, units: int) -> Result | None:
    """The result of an earlier attempt; None when there was none, so that a refund may be made."""
    currency = _readable(lambda: _currency_of(client, wish.reference or ""))
    if currency is not None and currency != wish.currency:
        return Refused(f"The payment was made in {currency}, the order is in {wish.currency}.")
    refunds = _readable(lambda: _refunds_of(client, wish))
    if refunds is not None:
        return _find(refunds, outgoing, wish, units)
    is_young = datetime.now(UTC) - outgoing.created_at < _KEY_LASTS
    if is_young and not _was_pressed_before(outgoing, wish):
        return None  # the idempotency key has to do, as long as it lasts
    return TryLater("Whether an earlier attempt was carried out cannot be read with the connection's key.")


def _was_pressed_before(outgoing: OutgoingEvent, wish: RefundWish) -> bool:
    """Whether the request has an earlier action, which was given up and may have been carried out all the same."""
    with jobs_transaction() as connection:
        earlier = select(awaited_action.c.id).where(
            awaited_action.c.checkout_page_id == outgoing.store_id,
            awaited_action.c.kind == AwaitedKind.REFUND,
            awaited_action.c.subject == str(wish.request_id),
            awaited_action.c.id != outgoing.action_id,
        )
        return connection.execute(earlier.limit(1)).first() is not None


def _readable(read: Callable[[], T]) -> T | None:
    """Return what `read` returns; None where the connection's restricted key may not read it."""
    try:
        return read()
    except stripe.StripeError as error:
        is_unknown = error.http_status in (404, 405) and error.code is None
        if is_unknown or isinstance(error, stripe.PermissionError):
            return None
        raise


def _currency_of(client: StripeClient, reference: str) -> str:
    """The currency that the payment was made in. An amount in another one would be another amount."""
    if reference.startswith("pi_"):
        return client.v1.payment_intents.retrieve(reference).currency.upper()
    return client.v1.charges.retrieve(reference).currency.upper()


def _refunds_of(client: StripeClient, wish: RefundWish) -> list[Json]:
    parameters = cast("RefundListParams", {**_reference(wish), "limit": 100})
    return [refund.to_dict() for refund in client.v1.refunds.list(parameters).auto_paging_iter()]


def _find(earlier: list[Json], outgoing: OutgoingEvent, wish: RefundWish, units: int) -> Result | None:
    """The refund that this action made, or an earlier press of the same request whose answer never arrived."""
    for refund in earlier:
        if (refund.get("metadata") or {}).get("action_id") == str(outgoing.action_id):
            return result_of(refund)
    for refund in earlier:
        about = refund.get("metadata") or {}
        is_ours = about.get("request") == str(wish.request_id) and about.get("order") == wish.order_name
        if not is_ours or refund.get("status") in ("failed", "canceled"):
            continue
        if refund.get("amount") == units:
            return result_of(refund)
        paid_back = format_money(from_stripe(refund["amount"], refund["currency"]), wish.currency)
        return Refused(
            f"Stripe has paid back {paid_back} for this request already ({refund['id']}), not {wish.sum_text}."
        )
    return None


def _create(client: StripeClient, outgoing: OutgoingEvent, wish: RefundWish, units: int) -> Result:
    about = {
        "action_id": str(outgoing.action_id),
        "order": wish.order_name,
        "request": str(wish.request_id),
    }
    parameters = cast("RefundCreateParams", {**_reference(wish), "amount": units, "metadata": about})
    key = KEY.format(wish.request_id)
    try:
        refund = client.v1.refunds.create(parameters, {"idempotency_key": key})
    except stripe.IdempotencyError:
        # The key belongs to an earlier press of the request, which made no refund, or to another portal that uses the
        # same account.
        refund = client.v1.refunds.create(parameters, {"idempotency_key": f"{key}-{outgoing.action_id}"})
    return result_of(refund.to_dict())
