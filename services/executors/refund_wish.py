"""The refund that an approved request asks for, as its event says it."""

from dataclasses import dataclass
from decimal import Decimal

from services.executors.interface import Json, OutgoingEvent, Payment
from services.money import format_money


@dataclass(frozen=True, slots=True)
class RefundWish:
    """`amount` is in the order's currency; `provider` and `reference` name the payment it comes from."""

    request_id: int
    order_name: str
    amount: Decimal
    currency: str
    provider: str | None
    reference: str | None

    @property
    def sum_text(self) -> str:
        return format_money(self.amount, self.currency)

    def payment(self, outgoing: OutgoingEvent) -> Payment:
        return Payment(
            outgoing.order_id, outgoing.store_id, self.provider, self.reference, self.currency, self.amount
        )


def read_wish(outgoing: OutgoingEvent) -> RefundWish:
    """The refund that an event of the type `refund.approved` asks for.

    Its body is the portal's own: one that lacks a field is a defect.
    """
    payment: Json = outgoing.data.get("payment") or {}
    return RefundWish(
        request_id=int(outgoing.data["request_id"]),
        order_name=str(outgoing.data["order_name"]),
        amount=Decimal(str(outgoing.data["amount"])),
        currency=str(outgoing.data["currency"]),
        provider=payment.get("provider"),
        reference=payment.get("reference"),
    )
