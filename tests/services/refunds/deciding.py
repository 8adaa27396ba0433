"""Refunds that a second operator has to approve, for tests."""

import json
from datetime import datetime
from typing import Any

from services.refunds.approval import approve_request, send_back_request, withdraw_decision
from tests.services.refunds.support import fulfil, order, requested
from tests.support.factories import act, run


def set_rules(
    *, four_eyes: bool = False, limits: dict[str, str] | None = None, store: str = "shop-a"
) -> None:
    run(
        "UPDATE checkout_page SET refund_four_eyes = :eyes, refund_approval_limits = cast(:limits AS jsonb), "
        "refund_again_after_partial = true WHERE name = :store",
        eyes=four_eyes,
        limits=None if limits is None else json.dumps(limits),
        store=store,
    )


def request(request_id: int) -> Any:
    [row] = run("SELECT * FROM refund_request WHERE id = :id", id=request_id)
    return row


def decided_at(request_id: int) -> datetime:
    at: datetime = request(request_id).decided_at
    return at


def decided(people: dict[str, int], order_id: int | None = None, **fields: Any) -> int:
    """A request of Anna's that Rita decided and that waits for approval; its ID."""
    request_id = requested(people, order() if order_id is None else order_id, taken_by="rita")
    fulfil(people, request_id, **fields)
    assert request(request_id).decision is not None
    return request_id


def approve(people: dict[str, int], by: str, request_id: int, at: datetime | None = None) -> str:
    return act(people[by], approve_request, request_id, decided_at=at or decided_at(request_id))


def send_back(people: dict[str, int], by: str, request_id: int, note: str = "Why all of it?") -> str:
    return act(people[by], send_back_request, request_id, decided_at=decided_at(request_id), note=note)


def withdraw(people: dict[str, int], by: str, request_id: int) -> str:
    return act(people[by], withdraw_decision, request_id)
