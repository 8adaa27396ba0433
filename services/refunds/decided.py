"""A refund as it was decided: what is carried out at once, or waits for the word of a shop or a provider as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.schema.statuses import RefundResult
from services.events.outbox import Value
from services.money import format_money
from services.order_actions.announcements import decimal_text
from services.refunds.plans import RefundedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A decided refund: the items with their shares, and what goes with them. `currency` is the order's.

    `is_full` says whether no refundable item of the order is left, `falls_short` whether less was given back for the
    items than they come to; then the refund is a partial one, although the order has no item left.
    """

    items: tuple[RefundedItem, ...]
    amount: Decimal
    currency: str
    is_full: bool
    delete_codes: bool
    stop_renewal: bool
    note: str
    falls_short: bool = False

    @property
    def positions(self) -> list[int]:
        return [item.position for item in self.items]

    @property
    def settled_positions(self) -> list[int]:
        """The items of which nothing is left: those that are marked as refunded, with their codes and subscriptions."""
        return [item.position for item in self.items if item.is_whole]

    @property
    def items_text(self) -> str:
        """The items as a line of the history names them."""
        return items_text((item.position, item.part) for item in self.items)

    @property
    def result(self) -> RefundResult:
        return RefundResult.FULL if self.is_full and not self.falls_short else RefundResult.PARTIAL

    @property
    def sum_text(self) -> str:
        return format_money(self.amount, self.currency)

    def details(self) -> dict[str, object]:
        """The details for the audit log."""
        shares = [format_money(item.amount, self.currency) for item in self.items]
        parts = {item.position: item.part for item in self.items if item.part}
        details = {"items": self.positions, "sum": self.sum_text, "shares": shares}
        return details | ({"parts": parts} if parts else {})

    def event_data(self) -> dict[str, Value]:
        """The data for events."""
        return {
            "currency": self.currency,
            "amount": decimal_text(self.amount),
            "items": [
                {
                    "item_id": item.item_id or str(item.position),
                    "quantity": item.quantity,
                    "amount": decimal_text(item.amount),
                }
                for item in self.items
            ],
        }


def items_text(items: Iterable[tuple[int, str]]) -> str:
    """Items (position, part of it or nothing) as sentences name them: `items 1, 2 (3 of 5)`."""
    names = [f"{position} ({part})" if part else str(position) for position, part in items]
    return f"item{'s' if len(names) > 1 else ''} {', '.join(names)}"


def wish_of(refund: Refund, request_id: int) -> dict[str, object]:
    """The decided refund as JSON, to be carried out when it is confirmed."""
    return {
        "request_id": request_id,
        "currency": refund.currency,
        "amount": decimal_text(refund.amount),
        "delete_codes": refund.delete_codes,
        "stop_renewal": refund.stop_renewal,
        "note": refund.note,
        "items": [
            {
                "position": item.position,
                "item_id": item.item_id,
                "name": item.name,
                "quantity": item.quantity,
                "amount": decimal_text(item.amount),
                "line": decimal_text(item.line),
                "is_whole": item.is_whole,
                "part": item.part,
            }
            for item in refund.items
        ],
    }


def refund_of(wish: Mapping[str, Any], *, is_full: bool = False) -> Refund:
    """The refund that `wish_of` has written."""
    return Refund(
        items=tuple(
            RefundedItem(
                position=item["position"],
                name=item["name"],
                quantity=item["quantity"],
                amount=Decimal(item["amount"]),
                line=Decimal(item["line"]),
                item_id=item["item_id"],
                # Wishes of before there were parts are of whole lines.
                is_whole=item.get("is_whole", True),
                part=item.get("part", ""),
            )
            for item in wish["items"]
        ),
        amount=Decimal(wish["amount"]),
        currency=wish["currency"],
        is_full=is_full,
        delete_codes=wish["delete_codes"],
        stop_renewal=wish["stop_renewal"],
        note=wish["note"],
    )
