"""The way of an action that has to be confirmed, in words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from db.schema.connection_states import AwaitedKind, AwaitedState
from pages.components.orders.ways import Way, refund_ways, subscription_ways
from services.events.awaiting import AwaitedAction

BERLIN = ZoneInfo("Europe/Berlin")
RECORDED = datetime(2026, 11, 24, 13, 6, tzinfo=UTC)
SENT = RECORDED + timedelta(minutes=1)


def action(**values: Any) -> AwaitedAction:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "connection_id": 1,
        "asked": "the shop",
        "order_id": 1,
        "store_id": 1,
        "kind": AwaitedKind.CANCEL_SUBSCRIPTION,
        "subject": "S1",
        "state": AwaitedState.RECORDED,
        "wish": {},
        "account_id": 1,
        "account_name": "Anna",
        "account_email": "anna@example.com",
        "recorded_at": RECORDED,
        "sent_at": None,
        "answered_at": None,
        "message": None,
        "external_id": None,
        "amount": None,
    }
    return AwaitedAction(**fields | values)


def told(way: Way) -> str:
    return " → ".join(
        " ".join(filter(None, (step.label, step.time))) + (f": {step.message}" if step.message else "")
        for step in way.steps
    )


@pytest.mark.parametrize(
    ("values", "line", "hint"),
    [
        ({}, "waits to be sent to the shop", "It counts once"),
        (
            {"state": AwaitedState.SENT, "sent_at": SENT},
            "sent to the shop 14:07 → waits for the answer of the shop",
            "It counts once",
        ),
        (
            {"state": AwaitedState.CONFIRMED, "sent_at": SENT, "answered_at": SENT, "message": "fine"},
            "sent to the shop 14:07 → confirmed by the shop 14:07",
            "",
        ),
        (
            {"state": AwaitedState.REFUSED, "answered_at": SENT + timedelta(days=2), "message": "too late"},
            "refused by the shop 26 Nov 2026, 14:07: too late",
            "",
        ),
        (
            {"state": AwaitedState.NOT_DELIVERED, "answered_at": SENT, "message": "No answer."},
            "not delivered to the shop 14:07: No answer.",
            "It can be done again.",
        ),
    ],
)
def test_a_cancellation_is_told_step_by_step(values: dict[str, Any], line: str, hint: str) -> None:
    [way] = subscription_ways([action(**values)], "S1", BERLIN)
    assert told(way) == f"Cancellation recorded here 24 Nov 2026, 14:06 → {line}"
    assert way.hint.startswith(hint) and bool(way.hint) == bool(hint)


def test_each_subject_has_its_own_and_only_the_newest_a_hint() -> None:
    newest = action(kind=AwaitedKind.RESUME_SUBSCRIPTION, state=AwaitedState.SENT, sent_at=SENT)
    older = action(state=AwaitedState.NOT_DELIVERED, answered_at=SENT)
    refund = action(kind=AwaitedKind.REFUND, subject="7", asked="Stripe", state=AwaitedState.SENT)
    actions = [newest, refund, older, action(subject="S2")]
    ways = subscription_ways(actions, "S1", BERLIN)
    assert [told(way).split(" here")[0] for way in ways] == ["Resumption recorded", "Cancellation recorded"]
    assert [bool(way.hint) for way in ways] == [True, False]
    [way] = refund_ways(actions, 7, BERLIN)
    assert told(way).endswith("waits for the answer of Stripe") and "nobody can take or close" in way.hint
    assert refund_ways(actions, 8, BERLIN) == []
