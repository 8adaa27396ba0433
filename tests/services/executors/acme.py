"""Refunds by Acme Pay, a provider of a few lines: the example of docs/write-an-executor.md."""

import json
from dataclasses import dataclass, field
from decimal import Decimal

from services.connections.safe_http import NotAllowedAddress, NotDelivered, SafeClient
from services.events.event_types import EventType
from services.executors.interface import (
    Accepted,
    Json,
    NothingToDo,
    OutgoingEvent,
    Payment,
    Refused,
    Result,
    Succeeded,
    TryLater,
)
from services.executors.refund_wish import read_wish


@dataclass(frozen=True, slots=True)
class AcmeExecutor:
    """Refunds of payments that an order names as `{"provider": "acme", "reference": "…"}`."""

    base: str = "https://api.acme.example"
    client: SafeClient = field(default_factory=SafeClient)

    @property
    def title(self) -> str:
        return "Acme Pay"

    def can_refund(self, payment: Payment, options: Json) -> str | None:
        if payment.reference is None:
            return "The order does not say which payment of Acme Pay it was paid with."
        return None

    def send(self, outgoing: OutgoingEvent) -> Result:
        if outgoing.event is not EventType.REFUND_APPROVED:
            return NothingToDo()
        wish = read_wish(outgoing)
        if wish.reference is None:
            return Refused("The order does not say which payment of Acme Pay it was paid with.")
        body = {
            "payment": wish.reference,
            "amount": str(wish.amount),
            "currency": wish.currency,
            "note": f"Order {wish.order_name}, request {wish.request_id}",
        }
        headers = {
            "Authorization": f"Bearer {outgoing.secrets[0]}" if outgoing.secrets else "",
            "Content-Type": "application/json",
            # The same for every attempt of this action: Acme Pay then makes one refund, and answers as before.
            "Idempotency-Key": str(outgoing.action_id),
        }
        try:
            answer = self.client.post(f"{self.base}/refunds", json.dumps(body).encode(), headers)
        except (NotDelivered, NotAllowedAddress) as error:
            return TryLater(str(error))
        if answer.status == 422:
            return Refused(f"Acme Pay refused: {json.loads(answer.content)['reason']}")
        if answer.status not in (200, 202):
            return TryLater(f"Acme Pay answered {answer.status}.", answer.status, answer.retry_after)
        refund = json.loads(answer.content)
        if answer.status == 202:
            return Accepted(refund["id"])
        return Succeeded(refund["id"], Decimal(refund["amount"]))
