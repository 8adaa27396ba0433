"""Refunds that were approved, as the worker hands them to an executor."""

import itertools
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from services.events.event_types import EventType
from services.executors.interface import Json, OutgoingEvent
from tests.support.stripe_control import StripeProvider
from tests.support.stripe_provider import KEY

_numbers = itertools.count(1001)


def approved(
    provider: StripeProvider,
    *,
    reference: str | None = None,
    request_id: int | None = None,
    currency: str = "EUR",
    secrets: tuple[str, ...] = (KEY,),
    **more: Any,
) -> OutgoingEvent:
    """An approved refund; with no `reference`, of a new payment of 10,000 units that the provider knows."""
    number = request_id or next(_numbers)
    if reference is None:
        reference = f"pi_{number}"
        provider.add_payment(reference, 10000, currency.lower())
    return approved_by(
        reference,
        number=number,
        currency=currency,
        secrets=secrets,
        options={"api_base": provider.base},
        **more,
    )


def approved_by(
    reference: str,
    *,
    amount: str = "49.00",
    currency: str = "EUR",
    number: int | None = None,
    action_id: UUID | None = None,
    payment_provider: str | None = "stripe",
    created_at: datetime | None = None,
    event: EventType = EventType.REFUND_APPROVED,
    store_id: int = 1,
    secrets: tuple[str, ...] = (),
    options: Json | None = None,
) -> OutgoingEvent:
    """An approved refund of a payment of any provider."""
    number = number or next(_numbers)
    return OutgoingEvent(
        event_id=uuid4(),
        action_id=action_id or uuid4(),
        event=event,
        connection_id=1,
        store_id=store_id,
        order_id=number,
        created_at=created_at or datetime.now(UTC),
        data={
            "request_id": number,
            "order_name": f"A{number:010}",
            "amount": amount,
            "currency": currency,
            "payment": {"provider": payment_provider, "reference": reference or None},
        },
        options=options or {},
        secrets=secrets,
    )


def refunds_of(provider: StripeProvider, outgoing: OutgoingEvent) -> list[dict[str, Any]]:
    """What the provider has paid back, or tried to, of the order's payment."""
    reference = outgoing.data["payment"]["reference"]
    return [one for one in provider.refunds if reference in (one["payment_intent"], one["charge"])]


def keys_of(provider: StripeProvider, outgoing: OutgoingEvent) -> list[str]:
    """The idempotency keys of the requests for this refund."""
    number = str(outgoing.data["request_id"])
    return [
        str(one["key"])
        for one in provider.requests
        if one["method"] == "POST" and one["parameters"].get("metadata[request]") == number
    ]
