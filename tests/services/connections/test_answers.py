"""With a connection that confirms, an action waits: what is recorded, what an answer changes, and what it does not."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.connection_states import AwaitedState
from services.actions import Action
from services.connections.answers import SettleOutcome, give_up_all
from services.order_actions.subscriptions import (
    AWAITED,
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.orders.detail import get_order
from services.refunds.processing import (
    fail_request,
    fulfil_request,
    refuse_request,
    release_request,
    take_request,
)
from services.refunds.queue import QueueView, find_queue
from services.refunds.request_lock import RequestAwaited
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.connected import abandon, arrive, awaited, confirm, connect, events, refuse
from tests.support.factories import act, document, history, item, mails, run

STORE = "shop-a"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    run("INSERT INTO payment_method (name, refund_document_required) VALUES ('WireTransfer', true)")
    stores = [STORE, "moved"]
    return {
        "anna": factories.account("anna", stores=stores),
        "rita": factories.account("rita", role="refund_operator", stores=stores),
        "otto": factories.account("otto", role="refund_operator", stores=stores),
    }


@pytest.fixture(scope="module")
def shop(people: dict[str, int]) -> int:
    return connect(STORE, confirms=True)


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


# Cancelling and resuming.


def test_a_cancellation_is_only_recorded(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    sentence = act(people["anna"], cancel_subscription, order_id, position=1, reason="Moved away")
    action = awaited(order_id)
    assert sentence == f"The cancellation for order A{order_id:010} was recorded; the shop has to confirm it."
    assert status_of(order_id) == "active"
    assert history(order_id) == [
        (
            f"Cancellation recorded here; the shop has to confirm it: subscription {subject_of(order_id)}. "
            "Reason: Moved away"
        )
    ]
    [event] = events(order_id)
    assert (event.type, event.action_id, event.told) == (
        "subscription.cancel_requested",
        action.id,
        [shop],
    )
    assert (action.state, action.account_name, action.wish) == (
        "recorded",
        "anna",
        {"reason": "Moved away"},
    )


@pytest.mark.parametrize("first", [arrive, lambda _: True], ids=["after sent", "before sent"])
def test_a_confirmed_cancellation_is_carried_out(
    people: dict[str, int], shop: int, first: Callable[[UUID], bool]
) -> None:
    order_id = subscribed()
    act(people["anna"], cancel_subscription, order_id, position=1, reason="Moved away")
    action_id = awaited(order_id).id
    assert first(action_id)
    assert confirm(action_id, shop, external_id="sub_1") is SettleOutcome.CONFIRMED
    assert status_of(order_id) == "cancelled"
    assert history(order_id)[1:] == [
        (
            f"Auto-renewal has been deactivated: subscription {subject_of(order_id)}, confirmed by the shop. "
            "Reason: Moved away"
        )
    ]
    [event] = run("SELECT * FROM subscription_event WHERE order_id = :id", id=order_id)
    assert (event.action, event.changed_by, event.account_id) == ("cancel", "anna", people["anna"])
    assert not arrive(action_id)  # the answer was faster
    assert (awaited(order_id).state, awaited(order_id).external_id) == ("confirmed", "sub_1")
    assert len(events(order_id)) == 1


def test_a_confirmed_resumption(people: dict[str, int], shop: int) -> None:
    order_id = subscribed("cancelled")
    act(people["anna"], resume_subscription, order_id, position=1)
    assert status_of(order_id) == "cancelled"
    confirm(awaited(order_id).id, shop)
    assert status_of(order_id) == "active"
    assert history(order_id) == [
        f"Resumption recorded here; the shop has to confirm it: subscription {subject_of(order_id)}",
        f"Auto-renewal has been activated: subscription {subject_of(order_id)}, confirmed by the shop",
    ]


def test_a_refused_cancellation_changes_nothing(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    act(people["anna"], cancel_subscription, order_id, position=1)
    assert refuse(awaited(order_id).id, shop, "under\ncontract\x00 until May") is SettleOutcome.REFUSED
    assert status_of(order_id) == "active"
    assert history(order_id)[1:] == [
        f"The cancellation of subscription {subject_of(order_id)} was refused by the shop: under contract until May"
    ]
    assert awaited(order_id).message == "under contract until May"
    [mail] = mails(order_id)
    change = f"cancellation of subscription {subject_of(order_id)}"
    assert (mail.to_address, mail.kind) == ("anna@test.example", "action")
    assert mail.subject == f"[Esupport] The {change} for A{order_id:010} was refused"
    assert (
        f"Your {change} for A{order_id:010} was refused by the shop: under contract until May"
        in mail.text_body
    )
    act(people["anna"], cancel_subscription, order_id, position=1)  # it can be asked for again
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=people["anna"])
    try:
        refuse(awaited(order_id).id, shop)
    finally:
        run("UPDATE account SET disabled_at = NULL WHERE id = :id", id=people["anna"])
    assert len(mails(order_id)) == 1


@pytest.mark.parametrize("action", [cancel_subscription, resume_subscription])
def test_nobody_presses_again_while_it_waits(people: dict[str, int], shop: int, action: Action[...]) -> None:
    parent = subscribed()
    carried = {"id": subject_of(parent), "type": "AR", "status": "active", "parent_order_id": parent}
    child = order(items=[item(subscription=carried)])
    act(people["anna"], cancel_subscription, parent, position=1)
    for order_id in (parent, child):
        with pytest.raises(SubscriptionUnchanged, match=AWAITED):
            act(people["otto"], action, order_id, position=1)
    assert shown(people, child).items[0].subscription.is_awaited
    confirm(awaited(parent).id, shop)
    assert status_of(child) == "cancelled"
    assert not shown(people, child).items[0].subscription.is_awaited


def test_a_confirmation_after_the_shops_own_document(people: dict[str, int], shop: int) -> None:
    """The usual sequence of a shop: first the order as it is now, then the answer."""
    order_id = subscribed()
    act(people["anna"], cancel_subscription, order_id, position=1)
    carried = {"id": subject_of(order_id), "type": "AR", "status": "cancelled"}
    renewed(order_id, items=[item(subscription=carried)])
    assert confirm(awaited(order_id).id, shop) is SettleOutcome.CONFIRMED
    assert status_of(order_id) == "cancelled"
    assert history(order_id)[-1].endswith("confirmed by the shop")
    assert run("SELECT * FROM subscription_event WHERE order_id = :id", id=order_id) == []


def test_a_confirmation_of_what_the_order_no_longer_has(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    subject = subject_of(order_id)
    act(people["anna"], cancel_subscription, order_id, position=1)
    renewed(order_id)
    assert confirm(awaited(order_id).id, shop) is SettleOutcome.CONFIRMED
    assert history(order_id)[-1] == (
        f"The cancellation of subscription {subject} was confirmed by the shop and could not be carried out here. "
        "The order no longer has this subscription."
    )


# Refunds.


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


def run_status(order_id: int) -> list[str]:
    [row] = run("SELECT status, refund_status FROM orders WHERE order_id = :id", id=order_id)
    return list(row)


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


# Answers that change nothing, and those that come late.


def test_the_first_answer_counts(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    confirm(action_id, shop)
    before = factories.everything()
    assert confirm(action_id, shop) is SettleOutcome.REPEATED
    assert refuse(action_id, shop) is SettleOutcome.REPEATED
    assert not abandon(action_id)
    assert factories.everything() == before


def test_an_answer_of_somebody_else(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    foreign, not_asked = connect("shop-b", confirms=True), connect(STORE, topics=[])
    before = factories.everything()
    assert confirm(action_id, foreign) is SettleOutcome.UNKNOWN
    assert confirm(action_id, not_asked) is SettleOutcome.UNKNOWN  # although of the store
    assert confirm(uuid4(), shop) is SettleOutcome.UNKNOWN
    assert factories.everything() == before
    assert awaited(order_id).state == "recorded"


def test_the_answer_may_come_by_the_connection_that_replaces_the_one_asked(people: dict[str, int]) -> None:
    store = "replaced"
    asked = connect(store, confirms=True)
    anna = factories.account(f"anna-{uuid4().hex[:6]}", stores=[store])
    order_id = subscribed(checkout_page=store)
    act(anna, cancel_subscription, order_id, position=1)
    run("DELETE FROM connection WHERE id = :id", id=asked)
    assert confirm(awaited(order_id).id, connect("shop-b")) is SettleOutcome.UNKNOWN
    assert confirm(awaited(order_id).id, connect(store)) is SettleOutcome.CONFIRMED


def test_what_was_not_delivered_can_be_done_again(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    assert abandon(action_id, "The shop answered 500.")
    assert not abandon(action_id)
    assert history(order_id)[-1] == (
        "The refund of EUR 10.00 (item 1) was not sent to the shop; it can be done again. The shop answered 500."
    )
    assert run_status(order_id) == ["paid", "updating"]
    press_fulfil(people, request_of(order_id).id)
    again = awaited(order_id).id
    assert again != action_id
    confirm(again, shop)
    assert request_of(order_id).status == "completed"


def test_a_late_confirmation_of_what_was_given_up_counts(people: dict[str, int], shop: int) -> None:
    """The money has moved, and only the way back was broken."""
    order_id = order()
    action_id = approved(people, order_id)
    abandon(action_id)
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert request_of(order_id).status == "completed"


def test_a_late_confirmation_after_the_request_was_closed(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    abandon(action_id)
    act(people["rita"], fail_request, request_of(order_id).id, note="The shop is down.")
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert history(order_id)[-1].endswith("The refund request had been closed before.")
    assert request_of(order_id).result == "failed"


def test_a_late_refusal_does_not_close_the_next_try(people: dict[str, int], shop: int) -> None:
    order_id = order()
    first = approved(people, order_id)
    abandon(first)
    press_fulfil(people, request_of(order_id).id)
    assert refuse(first, shop) is SettleOutcome.REFUSED
    assert request_of(order_id).status == "updating"
    confirm(awaited(order_id).id, shop)
    assert request_of(order_id).status == "completed"


def test_a_connection_that_is_switched_off_gives_everything_up(people: dict[str, int]) -> None:
    store = f"off-{uuid4().hex[:6]}"
    asked = connect(store, confirms=True)
    anna = factories.account(f"anna-{store}", stores=[store])
    orders = [subscribed(checkout_page=store) for _ in range(3)]
    for order_id in orders:
        act(anna, cancel_subscription, order_id, position=1)
    confirm(awaited(orders[0]).id, asked)
    arrive(awaited(orders[1]).id)
    with jobs_transaction() as connection:
        assert give_up_all(connection, asked, "The connection was switched off.") == 2
    assert [awaited(order_id).state for order_id in orders] == [
        "confirmed",
        "not delivered",
        "not delivered",
    ]


# Who else is told, and what the page shows.


def test_only_the_one_that_is_asked_is_told_to_act(people: dict[str, int]) -> None:
    store = f"many-{uuid4().hex[:6]}"
    listens = connect(store)
    shop = connect(store, confirms=True)
    stripe = connect(store, kind="stripe", topics=[])
    connect(store, kind="noventiq", topics=["refunds", "subscriptions"])
    run(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.id = ANY (:ids) AND p.name = :store",
        ids=[int(people[name]) for name in ("anna", "rita")],
        store=store,
    )
    order_id = order(checkout_page=store, payment={"provider": "stripe", "reference": "pi_1"})
    action_id = approved(people, order_id)
    assert awaited(order_id).connection_id == stripe
    assert "; Stripe has to confirm it" in history(order_id)[-1]
    assert events(order_id)[-1].told == [listens, stripe]
    confirm(action_id, stripe)
    completed = [event for event in events(order_id) if event.type == "refund.completed"]
    assert shop in completed[0].told
    assert "Confirmed by Stripe." in history(order_id)[-1]


def shown(people: dict[str, int], order_id: int) -> Any:
    anna = factories.viewer(people["anna"])
    with viewer_transaction(people["anna"]) as connection:
        return get_order(connection, anna, order_id)


def test_the_order_shows_its_actions(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    assert shown(people, order_id).awaited == ()
    act(people["anna"], cancel_subscription, order_id, position=1)
    arrive(awaited(order_id).id)
    refuse(awaited(order_id).id, shop, "no")
    act(people["anna"], cancel_subscription, order_id, position=1)
    newest, oldest = shown(people, order_id).awaited
    assert (newest.state, newest.sent_at, newest.is_open) == (AwaitedState.RECORDED, None, True)
    assert (oldest.state, oldest.message, oldest.asked) == (AwaitedState.REFUSED, "no", "the shop")
    assert oldest.recorded_at < oldest.sent_at < oldest.answered_at < datetime.now(UTC)
    assert (oldest.account_name, oldest.subject) == ("anna", subject_of(order_id))


def test_an_order_that_moves_takes_its_action_along(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    subject = subject_of(order_id)
    act(people["anna"], cancel_subscription, order_id, position=1)
    carried = {"id": subject, "type": "AR", "status": "active"}
    renewed(order_id, checkout_page="moved", items=[item(subscription=carried)])
    assert len(shown(people, order_id).awaited) == 1
    assert confirm(awaited(order_id).id, shop) is SettleOutcome.CONFIRMED
    assert status_of(order_id) == "cancelled"


def test_without_a_connection_nothing_waits(people: dict[str, int], shop: int) -> None:
    run("INSERT INTO checkout_page (name) VALUES ('alone') ON CONFLICT DO NOTHING")
    anna = factories.account("alone-anna", stores=["alone"])
    order_id = subscribed(checkout_page="alone")
    act(anna, cancel_subscription, order_id, position=1)
    assert status_of(order_id) == "cancelled"
    assert history(order_id) == [f"Auto-renewal has been deactivated: subscription {subject_of(order_id)}"]
    assert run("SELECT * FROM awaited_action WHERE order_id = :id", id=order_id) == []
