"""Events on their way out, for the tests of deliveries."""

from collections import Counter
from typing import Any
from uuid import UUID

from db.connections.engine import jobs_transaction
from services.events.event_types import EventType
from services.events.outbox import Subject, publish
from tests.support.factories import document, run, take_in


def subject(order_id: int, store: str = "shop-a") -> Subject:
    """The order as events name it; imported if it is not there yet."""
    if not run("SELECT 1 FROM orders WHERE order_id = :id", id=order_id):
        take_in(document(order_id=order_id, checkout_page=store))
    [row] = run("SELECT order_name, checkout_page_id FROM orders WHERE order_id = :id", id=order_id)
    return Subject(order_id, row.order_name, row.checkout_page_id, store)


def happen(*order_ids: int, event: EventType = EventType.REFUND_REQUESTED, **data: Any) -> list[UUID]:
    """An event of each order, in one transaction; their IDs."""
    subjects = [subject(order_id) for order_id in order_ids]
    with jobs_transaction() as connection:
        return [publish(connection, event, one, data={"request_id": 1} | data) for one in subjects]


def deliveries(columns: str = "*") -> list[Any]:
    return list(run(f"SELECT {columns} FROM delivery ORDER BY seq, connection_id"))


def states() -> Counter[str]:
    return Counter(row.state for row in deliveries("*"))


def make_due() -> None:
    """What the passing of time does to all that waits."""
    run("UPDATE delivery SET next_attempt_at = now() WHERE state = 'waiting'")
    run("UPDATE connection SET paused_until = NULL")
