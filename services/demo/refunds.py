"""The refunds of demo orders: the rows and the Order History lines that the actions would have written."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, insert, select

from db.schema.order_tables import order_history
from db.schema.refund_tables import refund_request, refund_request_item
from db.schema.statuses import RefundResult, RefundStatus
from services.demo.draft import Document
from services.demo.orders import DemoOrder
from services.demo.vocabulary import REFUND_REASONS
from services.money import format_money
from services.order_actions.history import Event, line
from services.refunds.sums import Line, refund_sums

_PAID_BACK: Final = (RefundResult.FULL, RefundResult.PARTIAL)
_NOT_PAID_BACK: Final = (RefundResult.REFUSED, RefundResult.FAILED)


class Person(NamedTuple):
    """An account of the demo."""

    id: int
    name: str
    email: str


def reason_of(number: int) -> str:
    """Why the refund was asked for; `number` counts the refunds of the demo from 1."""
    return REFUND_REASONS[number % len(REFUND_REASONS)]


def note_of(order: DemoOrder) -> str:
    return "Paid back to the card." if order.refund in _PAID_BACK else "The licence has been used for months."


def add_refund_requests(
    connection: Connection, orders: list[DemoOrder], stores: dict[str, int], people: dict[str, Person]
) -> None:
    """Add the requests of these orders, each in the state of its scenario, with the items paid back."""
    if not orders:
        return
    last_id = connection.execute(select(func.coalesce(func.max(refund_request.c.id), 0))).scalar_one()
    connection.execute(
        insert(refund_request),
        [_request_row(number, order, stores, people) for number, order in enumerate(orders, 1)],
    )
    request_ids = {
        row.order_id: row.id
        for row in connection.execute(
            select(refund_request.c.id, refund_request.c.order_id).where(refund_request.c.id > last_id)
        )
    }
    items = [
        {
            "refund_request_id": request_ids[order.document["order_id"]],
            "order_id": order.document["order_id"],
            "checkout_page_id": stores[order.document["checkout_page"]],
            "position": position,
            "quantity": order.document["items"][position - 1]["quantity"],
            "amount": amount,
        }
        for order in orders
        if order.refund in _PAID_BACK
        for position, amount in _shares(order.document).items()
    ]
    if items:
        connection.execute(insert(refund_request_item), items)


def _request_row(
    number: int, order: DemoOrder, stores: dict[str, int], people: dict[str, Person]
) -> dict[str, object]:
    requester = _requester(order, people)
    row: dict[str, object] = {
        "order_id": order.document["order_id"],
        "checkout_page_id": stores[order.document["checkout_page"]],
        "status": RefundStatus.REQUESTED,
        "reason": reason_of(number),
        "requested_by": requester.id,
        "requester_name": requester.name,
        "requester_email": requester.email,
        "requested_at": order.requested_at,
        "delete_codes": False,
    }
    return row | _taken_columns(order, people["refunds"]) | _closed_columns(order, people["refunds"])


def _taken_columns(order: DemoOrder, operator: Person) -> dict[str, object]:
    if order.refund == RefundStatus.REQUESTED:
        return dict.fromkeys(("taken_by", "taken_by_name", "taken_at"))
    return {
        "status": RefundStatus.UPDATING,
        "taken_by": operator.id,
        "taken_by_name": operator.name,
        "taken_at": order.taken_at,
    }


def _closed_columns(order: DemoOrder, operator: Person) -> dict[str, object]:
    # Every row of one INSERT of many has the same columns.
    amounts: dict[str, object] = dict.fromkeys(("amount", "currency"))
    if order.refund not in (*_PAID_BACK, *_NOT_PAID_BACK):
        return amounts | dict.fromkeys(("closed_by", "closed_by_name", "closed_at", "result", "note"))
    is_paid_back = order.refund in _PAID_BACK
    if is_paid_back:
        amounts = {"amount": sum(_shares(order.document).values()), "currency": order.document["currency"]}
    return amounts | {
        "status": RefundStatus.COMPLETED if is_paid_back else RefundStatus.REFUSED,
        "result": order.refund,
        "closed_by": operator.id,
        "closed_by_name": operator.name,
        "closed_at": order.closed_at,
        "note": note_of(order),
        "delete_codes": is_paid_back,
    }


def _requester(order: DemoOrder, people: dict[str, Person]) -> Person:
    return people["anna" if order.document["checkout_page"] == "demo-eu" else "boris"]


def _shares(document: Document) -> dict[int, Decimal]:
    """The sums that a refund of the refunded items came to, by position."""
    lines = [Line(position, Decimal(item["amount"])) for position, item in enumerate(document["items"], 1)]
    total = sum((line.amount for line in lines), Decimal(0))
    sums = refund_sums(Decimal(document.get("total") or total), document["currency"], lines)
    return {
        line.position: sums.shares[line.position]
        for line in lines
        if document["items"][line.position - 1]["refunded"]
    }


def add_refund_history(
    connection: Connection, orders: list[DemoOrder], stores: dict[str, int], people: dict[str, Person]
) -> None:
    """Add the portal's own lines of these orders' refunds, in the sequence of the requests."""
    rows = []
    for number, order in enumerate(orders, 1):
        store = order.document["checkout_page"]
        requester = _requester(order, people)
        for at, event, template_values in _steps(number, order):
            kind, text = line(event, **template_values)
            person = requester if event is Event.REFUND_REQUESTED else people["refunds"]
            rows.append(
                {
                    "order_id": order.document["order_id"],
                    "checkout_page_id": stores[store],
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
    if order.refund == RefundStatus.REQUESTED:
        return
    yield order.taken_at, Event.REFUND_TAKEN, {}
    if order.refund in _PAID_BACK:
        refunded = [(n, i) for n, i in enumerate(order.document["items"], 1) if i["refunded"]]
        paid_back = sum((Decimal(item["amount"]) for _, item in refunded), Decimal(0))
        template_values = {
            "result": RefundResult(order.refund).mail_phrase,
            "amount": format_money(paid_back, order.document["currency"]),
            "items": f"item{'s' if len(refunded) > 1 else ''} {', '.join(str(n) for n, _ in refunded)}",
            "status": "Status: Deleted. " if order.refund == RefundResult.FULL else "",
            "note": note_of(order),
        }
        yield order.closed_at, Event.REFUND_COMPLETED, template_values
    elif order.refund in _NOT_PAID_BACK:
        result = "the request was refused" if order.refund == RefundResult.REFUSED else "the refund failed"
        yield order.closed_at, Event.REFUND_REFUSED, {"result": result, "note": note_of(order)}
