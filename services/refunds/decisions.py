"""A decision on a refund while it waits for a second operator, as the request holds it."""

from decimal import Decimal
from typing import TypedDict

from services.order_actions.announcements import decimal_text
from services.refunds.decided import Refund, items_text
from services.refunds.parts import Part


class DecidedItem(TypedDict):
    """An item, or the part of it that is refunded: `quantity` is None for a part by amount."""

    position: int
    quantity: int | None
    amount: str
    part: str


class Decision(TypedDict):
    """A refund as JSON. Names of products and the note stand elsewhere: nothing personal gets in here."""

    currency: str
    amount: str
    delete_codes: bool
    stop_renewal: bool
    items: list[DecidedItem]


def decision_of(refund: Refund) -> Decision:
    return {
        "currency": refund.currency,
        "amount": decimal_text(refund.amount),
        "delete_codes": refund.delete_codes,
        "stop_renewal": refund.stop_renewal,
        "items": [
            {
                "position": item.position,
                "quantity": item.quantity,
                "amount": decimal_text(item.amount),
                "part": item.part,
            }
            for item in refund.items
        ],
    }


def decided_parts(decision: Decision) -> dict[int, Part]:
    """By position: what was decided about the item."""
    return {
        item["position"]: Part(amount=Decimal(item["amount"]))
        if item["quantity"] is None
        else Part(quantity=item["quantity"])
        for item in decision["items"]
    }


def decided_items_text(decision: Decision) -> str:
    """The items as sentences name them."""
    return items_text((item["position"], item["part"]) for item in decision["items"])
