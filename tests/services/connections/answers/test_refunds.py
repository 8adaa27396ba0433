"""Refunds with a connection that confirms: what waits, what an answer changes, and whose sum counts."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.actions import Action
from services.connections.answers import SettleOutcome
from services.refunds.processing import fail_request, refuse_request, release_request, take_request
from services.refunds.queue import QueueView, find_queue
from services.refunds.request_lock import RequestAwaited
from services.refunds.requests import request_refund
from tests.services.connections.answers.support import (
    STORE,
    approved,
    order,
    press_fulfil,
    renewed,
    request_of,
    run_status,
    shown,
    status_of,
)
from tests.support import factories
from tests.support.connected import arrive, awaited, confirm, events, refuse
from tests.support.factories import act, history, item, mails, run


def test_an_approved_refund_only_waits(people: dict[str, int], shop: int) -> None:
    order_id = order(payment={"provider": "adyen", "reference": "pay_1"})
    action_id = approved(people, order_id)
    assert [request_of(order_id).status, *run_status(order_id)] == ["updating", "paid", "updating"]
    assert history(order_id)[-1] == (
        "Refund recorded here; the shop has to confirm it: EUR 10.00, item 1. Note: As agreed."
    )
    assert mails(order_id) == []
    event = events(order_id)[-1]
    assert (event.type, event.action_id, event.told) == ("refund.approved", action_id, [shop])
    assert event.data == {
        "action_id": str(action_id),
        "order_id": order_id,
        "order_name": f"A{order_id:010}",
        "store": STORE,
        "request_id": request_of(order_id).id,
        "result": "full",
        "currency": "EUR",
        "amount": "10.00",
        "items": [{"item_id": "1", "quantity": 1, "amount": "10.00"}],
        "delete_codes": True,
        "stop_subscriptions": True,
        "payment": {"provider": "adyen", "reference": "pay_1"},
    }


def test_nobody_touches_a_refund_that_waits(people: dict[str, int], shop: int) -> None:
    order_id = order()
    approved(people, order_id)
    request_id = request_of(order_id).id
    for name in ("rita", "otto"):
        attempts: list[tuple[Action[...], dict[str, Any]]] = [
            (take_request, {}),
            (release_request, {}),
            (refuse_request, {"note": "x"}),
            (fail_request, {"note": "x"}),
        ]
        for action, given in attempts:
            with pytest.raises(RequestAwaited):
                act(people[name], action, request_id, **given)
    with pytest.raises(RequestAwaited):
        press_fulfil(people, request_id)
    rita = factories.viewer(people["rita"])
    with viewer_transaction(people["rita"]) as connection:
        rows = find_queue(connection, rita, QueueView.MINE)
    assert [row.is_awaited for row in rows if row.request.id == request_id] == [True]
    detail = shown(people, order_id)
    assert detail.is_refund_awaited(detail.refunds[0])


def test_a_confirmed_refund_does_all_that_a_refund_does(people: dict[str, int], shop: int) -> None:
    carried = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    order_id = order(
        payment={"payment_method": "WireTransfer"},
        items=[item(activation_codes=[{"code": "KEY-1"}], subscription=carried)],
    )
    action_id = approved(people, order_id)
    arrive(action_id)
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=people["rita"])
    try:
        assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    finally:
        run("UPDATE account SET disabled_at = NULL WHERE id = :id", id=people["rita"])
    request = request_of(order_id)
    assert (request.status, request.result, request.amount) == ("completed", "full", Decimal("10.00"))
    assert (request.closed_by, request.closed_by_name) == (people["rita"], "rita")
    assert run_status(order_id) == ["deleted", "completed"]
    assert status_of(order_id) == "cancelled"
    assert run("SELECT deleted FROM activation_code WHERE order_id = :id", id=order_id) == [(True,)]
    assert history(order_id)[-2:] == [
        (
            "Request has been completed: full refund completed, EUR 10.00, item 1. Confirmed by the shop. "
            "Status: Deleted. Note: As agreed."
        ),
        f"Refund document refund-A{order_id:010}-{request.id}.pdf",
    ]
    [mail] = mails(order_id)
    assert mail.to_address == "anna@test.example" and "full refund completed" in mail.text_body
    assert [event.type for event in events(order_id)][-4:] == [
        "refund.approved",
        "subscription.cancel_requested",
        "refund.completed",
        "license.codes_deleted",
    ]
    [entry] = run("SELECT * FROM audit_log WHERE action = 'action answered' AND order_id = :id", id=order_id)
    assert (entry.account_id, entry.succeeded) == (people["rita"], True)


def test_a_refused_refund_is_closed_as_failed(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    assert refuse(action_id, shop) is SettleOutcome.REFUSED
    request = request_of(order_id)
    assert (request.status, request.result, request.note) == (
        "refused",
        "failed",
        "Refused by the shop: card already refunded",
    )
    assert run_status(order_id) == ["paid", "refused"]
    assert history(order_id)[-1] == (
        "Refusal to refund: the refund failed. Note: Refused by the shop: card already refunded"
    )
    [mail] = mails(order_id)
    assert "refund failed" in mail.text_body
    assert events(order_id)[-1].type == "refund.failed"
    act(people["anna"], request_refund, order_id, reason="Once more")


@pytest.mark.parametrize(
    ("told", "recorded", "result"),
    [
        ("10.00", "10.00", "full"),
        ("8.00", "8.00", "partial"),
        ("12.50", "10.00", "full"),
        ("0.00", "0.00", "partial"),
    ],
)
def test_the_sum_that_the_shop_tells_counts(
    people: dict[str, int], shop: int, told: str, recorded: str, result: str
) -> None:
    order_id = order(items=[item(price="6.00", amount="6.00"), item(price="4.00", amount="4.00")])
    action_id = approved(people, order_id, positions=[1, 2])
    confirm(action_id, shop, amount=Decimal(told))
    request = request_of(order_id)
    assert (request.amount, request.result) == (Decimal(recorded), result)
    [[lines]] = run(
        "SELECT sum(amount) FROM refund_request_item WHERE refund_request_id = :id", id=request.id
    )
    assert lines == Decimal(recorded)
    said = [line for line in history(order_id) if line.startswith("The sum told")]
    if told == "10.00":
        assert said == []
    else:
        assert said[0].startswith(
            f"The sum told by the shop is EUR {Decimal(told):.2f}; EUR 10.00 was recorded here"
        )
    assert ("left of the order" in "".join(said)) is (Decimal(told) > 10)
    assert events(order_id)[-1].data["amount"] == f"{Decimal(recorded):.2f}"
    assert f"{result} refund completed" in mails(order_id)[0].text_body


def test_a_confirmation_after_the_shop_has_said_that_it_was_refunded(
    people: dict[str, int], shop: int
) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    renewed(order_id, status="deleted", items=[item(refunded=True)])
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    request = request_of(order_id)
    assert (request.status, request.result, request.amount) == ("completed", "full", Decimal("10.00"))
    assert run_status(order_id) == ["deleted", "completed"]


def test_an_item_that_waits_keeps_its_position(people: dict[str, int], shop: int) -> None:
    """A document without it may bring another item: that one is not what was refunded."""
    order_id = order(items=[item(), item(name="Backup", price="5.00", amount="5.00")])
    action_id = approved(people, order_id, "5.00", positions=[2])
    renewed(order_id, items=[item(), item(name="Other", price="7.00", amount="7.00")])
    confirm(action_id, shop)
    rows = run("SELECT name, refunded FROM order_item WHERE order_id = :id ORDER BY position", id=order_id)
    assert [tuple(row) for row in rows] == [("Antivirus", False), ("Other", False)]
    assert request_of(order_id).amount == Decimal("5.00")


def test_a_confirmation_that_the_order_has_overtaken(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    renewed(order_id, currency="USD")
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert awaited(order_id).state == "confirmed"
    assert history(order_id)[-1] == (
        "The refund of EUR 10.00 (item 1) was confirmed by the shop and could not be carried out here. "
        "The order is in USD now."
    )
    act(people["rita"], fail_request, request_of(order_id).id, note="Settled by hand.")  # no longer held
