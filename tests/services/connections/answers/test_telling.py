"""Who is told of an action that waits, and what the order shows of it."""

from datetime import UTC, datetime
from uuid import uuid4

from db.schema.connection_states import AwaitedState
from services.connections.answers import SettleOutcome
from services.order_actions.subscriptions import cancel_subscription
from tests.services.connections.answers.support import (
    approved,
    order,
    renewed,
    shown,
    status_of,
    subject_of,
    subscribed,
)
from tests.support import factories
from tests.support.connected import arrive, awaited, confirm, connect, events, refuse
from tests.support.factories import act, history, item, run


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
    assert events(order_id)[-1].told == [stripe]
    confirm(action_id, stripe)
    completed = [event for event in events(order_id) if event.type == "refund.completed"]
    assert {listens, shop, stripe} <= set(completed[0].told)
    assert "Confirmed by Stripe." in history(order_id)[-1]


def test_the_others_are_told_of_a_cancellation_once_it_is_confirmed(people: dict[str, int]) -> None:
    store = f"others-{uuid4().hex[:6]}"
    listens, shop = connect(store), connect(store, confirms=True)
    anna = factories.account(f"anna-{store}", stores=[store])
    order_id = subscribed(checkout_page=store)
    act(anna, cancel_subscription, order_id, position=1)
    action_id = awaited(order_id).id
    refuse(action_id, shop)
    act(anna, cancel_subscription, order_id, position=1)
    again = awaited(order_id).id
    assert [event.told for event in events(order_id)] == [[shop], [shop]]
    confirm(again, shop)
    last = events(order_id)[-1]
    assert (last.type, last.action_id, last.told) == ("subscription.cancel_requested", again, [listens])


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
