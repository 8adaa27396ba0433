"""Cancelling and resuming with a connection that confirms: what is recorded, and what an answer changes."""

from collections.abc import Callable
from uuid import UUID

import pytest

from services.actions import Action
from services.connections.answers import SettleOutcome
from services.order_actions.subscriptions import (
    AWAITED,
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from tests.services.connections.answers.support import (
    order,
    renewed,
    shown,
    status_of,
    subject_of,
    subscribed,
)
from tests.support.connected import arrive, awaited, confirm, events, refuse
from tests.support.factories import act, history, item, mails, run


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
