"""Four eyes and the second approval: every step of a request, and who is refused it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.errors import InvalidInput, NotAllowed
from services.refunds.approval import DecisionChanged, NotSecond
from services.refunds.deciding import SumChanged
from services.refunds.parts import Part
from services.refunds.processing import fail_request, refuse_request, release_request, take_request
from services.refunds.request_lock import FourEyes, RequestClosed, RequestDecided
from services.refunds.requests import request_refund
from tests.services.refunds.deciding import approve, decided, request, send_back, set_rules, withdraw
from tests.services.refunds.support import fulfil, given_back, order, requested, state
from tests.support import factories
from tests.support.connected import confirm, connect
from tests.support.factories import act, document, history, item, mails, run, take_in


@pytest.fixture(autouse=True)
def rules(people: dict[str, int]) -> Iterator[None]:
    set_rules(limits={"EUR": "5.00"})
    yield
    set_rules()


def own_request(people: dict[str, int], by: str) -> int:
    """A request that this operator made; its ID."""
    order_id = order()
    act(people[by], request_refund, order_id, reason="Bought twice")
    [[request_id]] = run("SELECT max(id) FROM refund_request WHERE order_id = :id", id=order_id)
    return int(request_id)


def test_above_the_limit_nothing_happens_until_a_second_operator_approves(people: dict[str, int]) -> None:
    order_id = order()
    request_id = requested(people, order_id, taken_by="rita")
    assert fulfil(people, request_id).endswith("waits for the approval of a second operator.")
    waiting = request(request_id)
    assert (waiting.status, waiting.decided_by_name, waiting.amount) == ("updating", "rita", None)
    assert state(order_id) == ("paid", "updating") and mails(order_id) == []
    assert approve(people, "otto", request_id).startswith("Full refund completed")
    done = request(request_id)
    assert (done.status, done.decided_by_name, done.approved_by_name) == ("completed", "rita", "otto")
    assert (done.closed_by_name, done.note, str(done.amount)) == ("otto", "Paid back.", "10.00")
    assert state(order_id) == ("deleted", "completed") and len(mails(order_id)) == 1
    assert history(order_id)[-3:-1] == [
        "Refund decided; a second operator has to approve it: EUR 10.00, item 1. Note: Paid back.",
        "The refund decided by rita was approved: EUR 10.00, item 1",
    ]
    [audited] = run(
        "SELECT * FROM audit_log WHERE action = 'approve refund' AND succeeded ORDER BY id DESC LIMIT 1"
    )
    assert audited.details["decided by"] == "rita" and audited.details["sum"] == "EUR 10.00"


def test_up_to_the_limit_one_operator_is_enough_and_parts_do_not_get_below_it(people: dict[str, int]) -> None:
    order_id = order()
    first = requested(people, order_id, taken_by="rita")
    part: dict[str, Any] = {"parts": {1: Part(amount=Decimal("5.00"))}, "expected_amount": Decimal("5.00")}
    assert fulfil(people, first, **part).startswith("Partial refund completed")
    second = requested(people, order_id, taken_by="rita")
    part = {"parts": {1: Part(amount=Decimal("0.01"))}, "expected_amount": Decimal("0.01")}
    assert "second operator" in fulfil(people, second, **part)
    approve(people, "admin", second)
    assert given_back(order_id) == ["EUR 5.00", "EUR 0.01"]


@pytest.mark.parametrize(
    ("limits", "waits"),
    [
        (None, False), ({"EUR": "10.00"}, False), ({"EUR": "9.99"}, True), ({"*": "10"}, False),
        ({"*": "9"}, True), ({"USD": "100"}, True), ({"USD": "1", "EUR": "11"}, False), ({}, True),
    ],
)  # fmt: skip
def test_limits_by_currency(people: dict[str, int], limits: dict[str, str] | None, waits: bool) -> None:
    set_rules(limits=limits)
    request_id = requested(people, order(), taken_by="rita")
    assert ("second operator" in fulfil(people, request_id)) is waits


def test_who_decided_and_who_requested_cannot_approve(people: dict[str, int]) -> None:
    request_id = decided(people)
    with pytest.raises(NotSecond, match="You decided"):
        approve(people, "rita", request_id)
    with pytest.raises(NotSecond, match="You decided"):
        send_back(people, "rita", request_id)
    own = own_request(people, "otto")
    act(people["rita"], take_request, own)
    fulfil(people, own)
    with pytest.raises(NotSecond, match="You requested"):
        approve(people, "otto", own)
    for by in ("anna", "carla"):
        with pytest.raises(NotAllowed):
            approve(people, by, request_id)
    approve(people, "admin", own)


def test_a_requester_who_becomes_an_operator_is_still_the_requester(people: dict[str, int]) -> None:
    promoted = {**people, "anna": factories.account("vera", stores=["shop-a"])}
    request_id = decided(promoted)
    run(
        "UPDATE account SET role = 'administrator', all_stores = true WHERE id = :id",
        id=int(promoted["anna"]),
    )
    with pytest.raises(NotSecond, match="You requested"):
        approve(promoted, "anna", request_id)
    set_rules(four_eyes=True)
    withdraw(people, "rita", request_id)
    act(people["rita"], release_request, request_id)
    with pytest.raises(FourEyes):
        act(promoted["anna"], take_request, request_id)


def test_while_it_waits_nothing_else_can_be_done(people: dict[str, int]) -> None:
    request_id = decided(people)
    for action in (take_request, release_request):
        with pytest.raises(RequestDecided):
            act(people["rita"], action, request_id)
    for turn_down in (refuse_request, fail_request):
        with pytest.raises(RequestDecided):
            act(people["rita"], turn_down, request_id, note="x")
    with pytest.raises(RequestDecided):
        fulfil(people, request_id)


def test_a_decision_is_sent_back_with_a_note_and_made_again(people: dict[str, int]) -> None:
    request_id = decided(people)
    at = request(request_id).decided_at
    with pytest.raises(InvalidInput):
        send_back(people, "otto", request_id, note=" ")
    assert send_back(people, "otto", request_id).endswith("was sent back to rita.")
    back = request(request_id)
    assert (back.status, back.decision, back.decided_by) == ("updating", None, None)
    assert (back.note, back.sent_back_by_name, back.taken_by_name) == ("Why all of it?", "otto", "rita")
    assert history(back.order_id)[-1] == (
        "The refund decided by rita was sent back: EUR 10.00, item 1. Note: Why all of it?"
    )
    with pytest.raises(DecisionChanged):
        approve(people, "otto", request_id, at)
    fulfil(people, request_id, parts={1: Part(amount=Decimal(6))}, expected_amount=Decimal(6))
    with pytest.raises(DecisionChanged):  # from a page that shows the first decision
        approve(people, "otto", request_id, at)
    approve(people, "otto", request_id)
    assert given_back(back.order_id) == ["EUR 6.00"]


def test_a_decision_is_withdrawn_by_its_decider_or_an_administrator(people: dict[str, int]) -> None:
    request_id = decided(people)
    with pytest.raises(NotSecond, match="Only rita and administrators"):
        withdraw(people, "otto", request_id)
    withdraw(people, "rita", request_id)
    assert request(request_id).decision is None and request(request_id).taken_by == people["rita"]
    with pytest.raises(DecisionChanged):
        withdraw(people, "rita", request_id)
    with pytest.raises(DecisionChanged):
        approve(people, "otto", request_id, datetime(2026, 1, 1, tzinfo=UTC))
    fulfil(people, request_id)
    withdraw(people, "admin", request_id)
    assert act(people["rita"], refuse_request, request_id, note="No.").startswith("The refund for order")
    with pytest.raises(RequestClosed):
        approve(people, "otto", request_id, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_limit_that_is_lifted_meanwhile_changes_nothing_for_what_waits(people: dict[str, int]) -> None:
    request_id = decided(people)
    set_rules(limits={"EUR": "1000"})
    with pytest.raises(NotSecond):
        approve(people, "rita", request_id)
    approve(people, "otto", request_id)


def test_an_order_that_has_changed_is_not_refunded_as_it_was_decided(people: dict[str, int]) -> None:
    sent = document(items=[item(amount="10.00", price="10.00")], total="10.00")
    take_in(sent)
    request_id = decided(people, int(sent["order_id"]))
    take_in(sent | {"total": "8.00", "updated_at": "2026-03-05T10:00:00+00:00"})
    with pytest.raises(SumChanged, match="send it back"):
        approve(people, "otto", request_id)
    send_back(people, "otto", request_id)
    fulfil(people, request_id)
    approve(people, "otto", request_id)
    assert given_back(int(sent["order_id"])) == ["EUR 8.00"]


def test_under_four_eyes_the_requester_does_not_fulfil(people: dict[str, int]) -> None:
    set_rules(four_eyes=True)
    request_id = own_request(people, "rita")
    with pytest.raises(FourEyes):
        act(people["rita"], take_request, request_id)
    act(people["otto"], take_request, request_id)
    assert fulfil(people, request_id, by="otto").startswith("Full refund completed")


def test_four_eyes_that_are_asked_for_later_hold_for_what_was_taken_and_decided(
    people: dict[str, int],
) -> None:
    taken, waiting = own_request(people, "rita"), own_request(people, "rita")
    act(people["rita"], take_request, taken)
    act(people["rita"], take_request, waiting)
    fulfil(people, waiting)
    set_rules(four_eyes=True)
    with pytest.raises(FourEyes):
        fulfil(people, taken)
    with pytest.raises(FourEyes, match="Who requested this refund decided it"):
        approve(people, "otto", waiting)


def test_an_approved_refund_waits_for_the_shop_as_every_other(people: dict[str, int]) -> None:
    set_rules(limits={"EUR": "5.00"}, store="shop-c")
    rita, otto = (
        factories.account(name, role="refund_operator", stores=["shop-c"]) for name in ("rosa", "olaf")
    )
    anna = factories.account("alma", stores=["shop-c"])
    team = {**people, "rita": rita, "otto": otto, "anna": anna}
    sent = document(checkout_page="shop-c")
    take_in(sent)
    set_rules(limits={"EUR": "5.00"}, store="shop-c")
    shop = connect("shop-c", confirms=True)
    request_id = decided(team, int(sent["order_id"]))
    assert run("SELECT count(*) FROM awaited_action WHERE subject = :id", id=str(request_id)) == [(0,)]
    assert "has to confirm it" in approve(team, "otto", request_id)
    [action] = run("SELECT id, account_name FROM awaited_action WHERE subject = :id", id=str(request_id))
    assert action.account_name == "olaf"
    confirm(action.id, shop)
    assert request(request_id).status == "completed"
    assert request(request_id).decision["amount"] == "10.00"
