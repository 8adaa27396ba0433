"""What a requester proposes to refund, as it is stored with the request."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypedDict

from services.money import format_money
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


def proposal_text(proposed: Mapping[int, Part | None], currency: str) -> str:
    """The proposal in words, such as `item 1, 2 pieces of item 2, EUR 5.00 of item 3`; empty for the whole order."""
    return ", ".join(_words(position, part, currency) for position, part in proposed.items())


def _words(position: int, part: Part | None, currency: str) -> str:
    if part is None:
        return f"item {position}"
    if part.amount is not None:
        return f"{format_money(part.amount, currency)} of item {position}"
    return f"{part.quantity} {'piece' if part.quantity == 1 else 'pieces'} of item {position}"
