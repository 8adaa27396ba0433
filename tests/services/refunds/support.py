"""Orders and refund requests for tests, and how they stand."""

from decimal import Decimal
from typing import Any

from db.connections.engine import viewer_transaction
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import act, document, run


def order(**fields: object) -> int:
    """A new paid order of one item (or as given); its ID."""
    made = document(**fields)
    factories.take_in(made)
    return int(made["order_id"])


def requested(people: dict[str, int], order_id: int, *, taken_by: str | None = None) -> int:
    """A request for the order, maybe taken; its ID."""
    act(people["anna"], request_refund, order_id, reason="Bought twice")
    [[request_id]] = run("SELECT max(id) FROM refund_request WHERE order_id = :id", id=order_id)
    if taken_by:
        act(people[taken_by], take_request, request_id)
    return int(request_id)


def plan_of(people: dict[str, int], order_id: int) -> RefundPlan:
    with viewer_transaction(people["admin"]) as connection:
        plan = find_plan(connection, order_id)
    assert plan is not None
    return plan


def fulfil(people: dict[str, int], request_id: int, by: str = "rita", **fields: object) -> str:
    """With the sum that the dialog shows, unless another one is given."""
    asked: dict[str, Any] = {
        "positions": [1],
        "delete_codes": True,
        "stop_renewal": True,
        "note": "Paid back.",
    } | fields
    if "expected_amount" not in asked:
        [[order_id]] = run("SELECT order_id FROM refund_request WHERE id = :id", id=request_id)
        shares = plan_of(people, order_id).sums.shares
        asked["expected_amount"] = sum((shares.get(p, Decimal(0)) for p in asked["positions"]), Decimal(0))
    return act(people[by], fulfil_request, request_id, **asked)


def state(order_id: int) -> tuple[str, str | None]:
    [row] = run("SELECT status, refund_status FROM orders WHERE order_id = :id", id=order_id)
    return row.status, row.refund_status


def given_back(order_id: int) -> list[str]:
    """The sums of the completed refunds, oldest first."""
    rows = run(
        "SELECT amount, currency FROM refund_request WHERE order_id = :id AND status = 'completed' ORDER BY id",
        id=order_id,
    )
    return [f"{row.currency} {row.amount}" for row in rows]


def result(request_id: int) -> tuple[Any, ...]:
    [row] = run("SELECT status, result, note, closed_by FROM refund_request WHERE id = :id", id=request_id)
    return tuple(row)
