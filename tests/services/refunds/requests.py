"""Orders and refund requests for tests, and how they stand."""

from services.refund_queue import fulfil_request, take_request
from services.refunds import request_refund
from tests import factories
from tests.factories import act, document, run


def order(**given: object) -> int:
    """A new paid order of one item (or as given); its ID."""
    made = document(**given)
    factories.take_in(made)
    return int(made["order_id"])


def requested(people: dict[str, int], order_id: int, *, taken_by: str | None = None) -> int:
    """A request for the order, maybe taken; its ID."""
    act(people["anna"], request_refund, order_id, reason="Bought twice")
    [[request_id]] = run("SELECT max(id) FROM refund_request WHERE order_id = :id", id=order_id)
    if taken_by:
        act(people[taken_by], take_request, request_id)
    return int(request_id)


def fulfil(people: dict[str, int], request_id: int, by: str = "rita", **given: object) -> str:
    asked: dict = {"positions": [1], "delete_codes": True, "stop_renewal": True, "note": "Paid back."} | given
    return act(people[by], fulfil_request, request_id, **asked)


def state(order_id: int) -> tuple[str, str | None]:
    [row] = run("SELECT status, refund_status FROM orders WHERE order_id = :id", id=order_id)
    return row.status, row.refund_status


def result(request_id: int) -> tuple:
    [row] = run("SELECT status, result, note, closed_by FROM refund_request WHERE id = :id", id=request_id)
    return tuple(row)
