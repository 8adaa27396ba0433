"""Noventiq as executor: cancel and resume subscriptions, ask for refunds. Its answers come by webhooks.

The vendor has no idempotency key, so what makes a repetition harmless is a look before it: the subscription's status,
and for a refund the vendor's own rule that an order has one open request at most.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import func, select, update

from db.connections.engine import jobs_transaction
from db.schema.connection_tables import awaited_action
from db.schema.order_tables import order_item
from db.schema.statuses import MainStatus, SubscriptionStatus, SubscriptionType
from services.events.event_types import EventType
from services.executors.interface import (
    Accepted,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Payment,
    Refused,
    Result,
    Succeeded,
    TryLater,
)
from services.noventiq.api import (
    DESCRIPTION_LIMIT,
    EMAIL_LIMIT,
    ApiRefused,
    ApiUnavailable,
    NoventiqApi,
    find_credentials,
)
from services.noventiq.messages import ORDER_STATUS, read_subscription

log = logging.getLogger("esupport.noventiq")

NO_CREDENTIALS: Final = "The connection has no user name or password for Noventiq's API."
NO_EMAIL: Final = (
    f"Noventiq needs an e-mail of at most {EMAIL_LIMIT} characters for its questions. "
    "An administrator can enter it in the connection."
)
ONLY_WHOLE: Final = "Noventiq refunds whole items only. Choose all of each item."
_ONLY_AR: Final = "Noventiq resumes AR subscriptions only."


@dataclass(frozen=True, slots=True)
class NoventiqExecutor:
    """Three events are carried out, and the renewals that a refund stopped here are stopped there too."""

    @property
    def title(self) -> str:
        return "Noventiq"

    def can_refund(self, payment: Payment, options: Mapping[str, object]) -> str | None:
        """Noventiq refunds what was paid through it, and the portal's own conditions are the same as Noventiq's."""
        if not options.get("username"):
            return NO_CREDENTIALS
        if payment.has_parts:
            return ONLY_WHOLE
        return None if payment.total > 0 else "Nothing was paid that could be given back."

    def send(self, outgoing: OutgoingEvent) -> Result:
        carry_out = {
            EventType.CANCEL_REQUESTED: _cancel,
            EventType.RESUME_REQUESTED: _resume,
            EventType.REFUND_APPROVED: _request_refund,
            EventType.REFUND_COMPLETED: _stop_renewals,
        }.get(outgoing.event)
        if carry_out is None:
            return NothingToDo()
        credentials = find_credentials(outgoing.connection_id, outgoing.options, outgoing.secrets)
        if credentials is None:
            return NothingToDo() if outgoing.event is EventType.REFUND_COMPLETED else NotSent(NO_CREDENTIALS)
        try:
            return carry_out(NoventiqApi(credentials), outgoing)
        except ApiRefused as error:
            return Refused(str(error))
        except ApiUnavailable as error:
            return TryLater(str(error), error.status, error.retry_after)


def _cancel(api: NoventiqApi, outgoing: OutgoingEvent) -> Result:
    subscription_id = str(outgoing.data["subscription_id"])
    said = read_subscription(api.get_subscription(subscription_id))
    if said is not None and said.status is SubscriptionStatus.CANCELLED:
        return Succeeded(subscription_id)
    api.modify_activity(subscription_id, active=False)
    return Accepted(subscription_id)


def _resume(api: NoventiqApi, outgoing: OutgoingEvent) -> Result:
    subscription_id = str(outgoing.data["subscription_id"])
    said = read_subscription(api.get_subscription(subscription_id))
    if said is not None and said.type is not None and said.type != SubscriptionType.AR:
        return Refused(_ONLY_AR, subscription_id)
    if said is not None and said.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.NOT_PAID):
        return Succeeded(subscription_id)
    api.modify_activity(subscription_id, active=True)
    return Accepted(subscription_id)


def _request_refund(api: NoventiqApi, outgoing: OutgoingEvent) -> Result:
    facts = _begin_refund(outgoing)
    email = facts.email or ""
    if not 0 < len(email) <= EMAIL_LIMIT:
        return NotSent(NO_EMAIL)
    if facts.has_parts:
        return NotSent(ONLY_WHOLE)
    try:
        api.request_refund(outgoing.order_id, description=facts.description, email=email)
    except ApiRefused:
        # An attempt of ours may have arrived although its answer did not. The vendor refuses a second request while
        # the first is open; its other conditions hold as long as the order is paid.
        if not (facts.is_repeated and _is_paid(api, outgoing.order_id)):
            raise
    return Accepted(str(outgoing.order_id))


def _is_paid(api: NoventiqApi, order_id: int) -> bool:
    status = api.get_order(order_id).get("status")
    return isinstance(status, str) and ORDER_STATUS.get(status) is MainStatus.PAID


def _stop_renewals(api: NoventiqApi, outgoing: OutgoingEvent) -> Result:
    """Nobody waits for this: what the vendor refuses is logged, and the shop's word arrives by its webhooks."""
    for subscription_id in map(str, outgoing.data.get("subscriptions_stopped") or ()):
        try:
            said = read_subscription(api.get_subscription(subscription_id))
            if said is None or said.status is not SubscriptionStatus.CANCELLED:
                api.modify_activity(subscription_id, active=False)
        except ApiRefused as error:
            log.warning("Order %s: a renewal was not stopped. %s", outgoing.order_id, error)
    return NothingToDo()


class _RefundFacts(NamedTuple):
    """`is_repeated`: an earlier attempt may have reached the vendor. `email` is ours, not the customer's.

    `has_parts`: less than all of an item is to be given back.
    """

    is_repeated: bool
    email: str | None
    description: str
    has_parts: bool


def _begin_refund(outgoing: OutgoingEvent) -> _RefundFacts:
    """The values of the request, read now and not stored in the event; the attempt is written down before it is made.

    In a transaction of its own: a worker that is killed after the request leaves the trace.
    """
    with jobs_transaction() as connection:
        is_first = connection.execute(
            update(awaited_action)
            .where(awaited_action.c.id == outgoing.action_id, awaited_action.c.begun_at.is_(None))
            .values(begun_at=func.clock_timestamp())
        ).rowcount
        account_email = connection.execute(
            select(awaited_action.c.account_email).where(awaited_action.c.id == outgoing.action_id)
        ).scalar_one_or_none()
        items = connection.execute(
            select(*[order_item.c[name] for name in ("position", "item_id", "name", "amount", "quantity")])
            .where(order_item.c.order_id == outgoing.order_id)
            .order_by(order_item.c.position)
        ).all()
    quantities = {item.item_id or str(item.position): item.quantity for item in items}
    refunded = {str(item["item_id"]) for item in outgoing.data["items"]}
    chosen = [item.name for item in items if (item.item_id or str(item.position)) in refunded]
    is_full = all((item.item_id or str(item.position)) in refunded for item in items if item.amount > 0)
    chosen_email = outgoing.options.get("refund_email") or account_email
    return _RefundFacts(
        not is_first,
        chosen_email if isinstance(chosen_email, str) else None,
        _description(outgoing, chosen, is_full=is_full),
        any(
            item["quantity"] != quantities.get(str(item["item_id"]), item["quantity"])
            for item in outgoing.data["items"]
        ),
    )


def _description(outgoing: OutgoingEvent, names: list[str], *, is_full: bool) -> str:
    """The text for the vendor's staff: full or partial, and of which items. Reasons and notes stay here."""
    head = (
        f"{'Full' if is_full else 'Partial'} refund of order {outgoing.data['order_name']}, "
        f"{outgoing.data['currency']} {outgoing.data['amount']}, request {outgoing.data['request_id']}. Items: "
    )
    text = head + "; ".join(names)
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"
