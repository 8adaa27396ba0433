"""Orders whose actions wait for the shop's word, and how they stand."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from db.connections.engine import viewer_transaction
from services.orders.detail import get_order
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.connected import awaited
from tests.support.factories import act, document, item, run

STORE = "shop-a"


def order(**given: Any) -> int:
    made = document(**given)
    factories.take_in(made)
    return int(made["order_id"])


def subscribed(status: str = "active", **given: Any) -> int:
    carried = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": status}
    return order(items=[item(subscription=carried)], **given)


def status_of(order_id: int) -> str:
    [[status]] = run("SELECT status FROM subscription WHERE order_id = :id", id=order_id)
    return str(status)


def subject_of(order_id: int) -> str:
    [[subject]] = run("SELECT subscription_id FROM subscription WHERE order_id = :id", id=order_id)
    return str(subject)


def request_of(order_id: int) -> Any:
    return run("SELECT * FROM refund_request WHERE order_id = :id ORDER BY id DESC", id=order_id)[0]


def press_fulfil(people: dict[str, int], request_id: int, amount: str = "10.00", **given: Any) -> str:
    values: dict[str, Any] = {
        "positions": [1],
        "expected_amount": Decimal(amount),
        "delete_codes": True,
        "stop_renewal": True,
        "note": "As agreed.",
    }
    return act(people["rita"], fulfil_request, request_id, **values | given)


def approved(people: dict[str, int], order_id: int, amount: str = "10.00", **given: Any) -> UUID:
    """The order's refund, requested by Anna, taken and fulfilled by Rita: it waits for the shop."""
    act(people["anna"], request_refund, order_id, reason="Bought twice")
    act(people["rita"], take_request, request_of(order_id).id)
    press_fulfil(people, request_of(order_id).id, amount, **given)
    action_id: UUID = awaited(order_id).id
    return action_id


def renewed(order_id: int, **changes: Any) -> None:
    """A later document of the shop."""
    factories.take_in(document(order_id=order_id, updated_at="2026-05-01T00:00:00Z", **changes))


def run_status(order_id: int) -> list[str]:
    [row] = run("SELECT status, refund_status FROM orders WHERE order_id = :id", id=order_id)
    return list(row)


def shown(people: dict[str, int], order_id: int) -> Any:
    anna = factories.viewer(people["anna"])
    with viewer_transaction(people["anna"]) as connection:
        return get_order(connection, anna, order_id)
