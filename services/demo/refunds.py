"""What the Order History of demo orders says of their refunds: the lines that the actions would have written."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from db.schema.statuses import RefundResult
from db.schema.tables import order_history
from services.demo.orders import DemoOrder
from services.demo.vocabulary import REFUND_REASONS
from services.money import format_money
from services.order_actions.history import Event, line


def reason_of(number: int) -> str:
    """Why the refund was asked for; `number` counts the refunds of the demo from 1."""
    return REFUND_REASONS[number % len(REFUND_REASONS)]


def note_of(order: DemoOrder) -> str:
    is_done = order.refund in ("full", "partial")
    return "Paid back to the card." if is_done else "The licence has been used for months."


def add_refund_history(
    connection: Connection, orders: list[DemoOrder], pages: dict[str, int], people: dict[str, Any]
) -> None:
    """Add the portal's own lines of these orders' refunds, in the sequence of the requests."""
    rows = []
    for number, order in enumerate(orders, 1):
        store = order.document["checkout_page"]
        requester = people["anna" if store == "demo-eu" else "boris"]
        for at, event, words in _steps(number, order):
            kind, text = line(event, **words)
            person = requester if event is Event.REFUND_REQUESTED else people["refunds"]
            rows.append(
                {
                    "order_id": order.document["order_id"],
                    "checkout_page_id": pages[store],
                    "at": at,
                    "kind": kind,
                    "text": text,
                    "source": "portal",
                    "account_id": person.id,
                    "author": person.name,
                }
            )
    if rows:
        connection.execute(insert(order_history).inline(), rows)


def _steps(number: int, order: DemoOrder) -> Iterator[tuple[datetime, Event, dict[str, str]]]:
    yield order.requested_at, Event.REFUND_REQUESTED, {"reason": reason_of(number)}
    if order.refund == "requested":
        return
    yield order.taken_at, Event.REFUND_TAKEN, {}
    if order.refund in ("full", "partial"):
        refunded = [(n, i) for n, i in enumerate(order.document["items"], 1) if i["refunded"]]
        paid_back = sum((Decimal(item["amount"]) for _, item in refunded), Decimal(0))
        words = {
            "result": RefundResult(order.refund).mail_phrase,
            "amount": format_money(paid_back, order.document["currency"]),
            "items": f"item{'s' if len(refunded) > 1 else ''} {', '.join(str(n) for n, _ in refunded)}",
            "status": "Status: Deleted. " if order.refund == "full" else "",
            "note": note_of(order),
        }
        yield order.closed_at, Event.REFUND_COMPLETED, words
    elif order.refund in ("refused", "failed"):
        result = "the request was refused" if order.refund == "refused" else "the refund failed"
        yield order.closed_at, Event.REFUND_REFUSED, {"result": result, "note": note_of(order)}
