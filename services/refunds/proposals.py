"""What a requester proposes to refund, as it is stored with the request."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypedDict

from services.order_actions.announcements import decimal_text
from services.refunds.parts import Part
from services.refunds.plans import RefundedItem


class ProposedItem(TypedDict):
    """An item, or a part of it; without a quantity and an amount all of it."""

    position: int
    quantity: int | None
    amount: str | None


def write_proposal(items: Iterable[RefundedItem]) -> list[ProposedItem]:
    return [
        {
            "position": item.position,
            "quantity": None if item.is_whole else item.quantity,
            "amount": decimal_text(item.amount) if item.quantity is None else None,
        }
        for item in items
    ]


def read_proposal(stored: Sequence[ProposedItem]) -> dict[int, Part | None]:
    """By position: the proposed part, None for all of the item."""
    return {entry["position"]: _part(entry) for entry in stored}


def _part(entry: ProposedItem) -> Part | None:
    if entry["quantity"] is not None:
        return Part(quantity=entry["quantity"])
    return None if entry["amount"] is None else Part(amount=Decimal(entry["amount"]))
