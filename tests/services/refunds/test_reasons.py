"""The list of reasons: kept by administrators, offered to everybody, kept by old requests."""

from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.actions import Action, ActionRequest, perform
from services.errors import InvalidInput
from services.refunds.reasons import (
    ReasonExists,
    ReasonNotFound,
    RefundReason,
    change_reason,
    create_reason,
    find_reasons,
)
from services.refunds.requests import request_refund
from tests.services.refunds.support import order
from tests.support.factories import act, history, run, viewer


def listed(people: dict[str, int], *, only_in_use: bool = False) -> list[RefundReason]:
    with viewer_transaction(people["anna"]) as connection:
        return list(find_reasons(connection, only_in_use=only_in_use))


def asked(order_id: int) -> tuple[str, int | None]:
    [row] = run("SELECT reason, reason_id FROM refund_request WHERE order_id = :id", id=order_id)
    return tuple(row)


def test_a_database_has_reasons_from_the_start(people: dict[str, int]) -> None:
    reasons = [reason.reason for reason in listed(people)]
    assert len(reasons) == 10 and reasons[0] == "Accidental purchase" and reasons[-1] == "Other"


@pytest.mark.parametrize(
    ("is_listed", "words", "reason"),
    [
        (False, "The colour", "The colour"),
        (True, "", "Accidental purchase"),
        (True, "  twice ", "Accidental purchase: twice"),
    ],
)
def test_a_request_keeps_the_words_and_the_chosen_reason(
    people: dict[str, int], is_listed: bool, words: str, reason: str
) -> None:
    order_id, reason_id = order(), listed(people)[0].id if is_listed else None
    act(people["anna"], request_refund, order_id, reason=words, reason_id=reason_id)
    assert asked(order_id) == (reason, reason_id)
    assert history(order_id) == [f"Refund request has been sent. Reason: {reason}"]


def test_a_request_without_any_reason_is_refused(people: dict[str, int]) -> None:
    for words, reason_id in (("", None), ("  ", None), ("x", 10**6), ("x" * 490, listed(people)[0].id)):
        with pytest.raises(InvalidInput) as refusal:
            act(people["anna"], request_refund, order(), reason=words, reason_id=reason_id)
        assert refusal.value.field == "reason"


def test_the_list_is_changed(people: dict[str, int]) -> None:
    before = [reason.reason for reason in listed(people)]

    def change(action: Action[...], *arguments: Any, **fields: Any) -> str:
        request = ActionRequest(key=uuid4(), address=None)
        return perform(viewer(people["admin"]), request, action, *arguments, **fields)

    change(create_reason, reason="  Wrong   language ")
    last = listed(people)[-1]
    assert (last.reason, last.in_use) == ("Wrong language", True)
    with pytest.raises(ReasonExists):
        change(create_reason, reason="wrong LANGUAGE")
    change(change_reason, last.id, reason="Wrong language bought", position=2, in_use=True)
    assert [r.reason for r in listed(people)] == [before[0], "Wrong language bought", *before[1:]]
    order_id = order()
    act(people["anna"], request_refund, order_id, reason_id=last.id)
    change(change_reason, last.id, reason="Wrong language", position=11, in_use=False)
    assert [r.reason for r in listed(people, only_in_use=True)] == before
    assert asked(order_id) == ("Wrong language bought", last.id)
    with pytest.raises(InvalidInput, match="no longer offered"):
        act(people["anna"], request_refund, order(), reason_id=last.id)
    for wrong, error in (
        ({"reason": ""}, InvalidInput),
        ({"reason": before[0]}, ReasonExists),
        ({"position": 12}, InvalidInput),
        ({"position": 0}, InvalidInput),
    ):
        with pytest.raises(error):
            change(change_reason, last.id, **{"reason": "x", "position": 1, "in_use": True} | wrong)
    with pytest.raises(ReasonNotFound):
        change(change_reason, 10**6, reason="x", position=1, in_use=True)
    details = run(
        "SELECT action FROM audit_log WHERE action LIKE '% refund reason' AND succeeded ORDER BY id"
    )
    assert [row.action for row in details] == [
        "create refund reason", "change refund reason", "change refund reason",
    ]  # fmt: skip
