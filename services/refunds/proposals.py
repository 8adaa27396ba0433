"""What a requester proposes to refund, as it is stored with the request: positions, with a quantity or an amount."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.order_actions.announcements import decimal_text
from services.refunds.parts import Part
from services.refunds.plans import RefundedItem

# Any: JSON, as `write_proposal` has written it.
Stored = Sequence[Mapping[str, Any]]


def write_proposal(items: Iterable[RefundedItem]) -> list[dict[str, object]]:
    return [
        {"position": item.position}
        if item.is_whole
        else {"position": item.position, "quantity": item.quantity}
        if item.quantity is not None
        else {"position": item.position, "amount": decimal_text(item.amount)}
        for item in items
    ]


def read_proposal(stored: Stored) -> dict[int, Part | None]:
    """By position: the proposed part, None for all of the item."""
    return {entry["position"]: _part(entry) for entry in stored}


def _part(entry: Mapping[str, Any]) -> Part | None:
    if "quantity" in entry:
        return Part(quantity=entry["quantity"])
    return Part(amount=Decimal(entry["amount"])) if "amount" in entry else None
