"""Cancel and resume, from a press of a button here to the vendor and back by its signed webhooks."""

import pytest

from services.delivery.dispatching import deliver_due
from services.delivery.incoming import apply_incoming
from services.delivery.outcomes import Fate
from services.order_actions.subscriptions import (
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from tests.services.noventiq.round_trip import LATER, bought, hook, numbers, people, port, shop, work
from tests.services.noventiq.shop import Hook, subscription_status
from tests.support.connected import awaited
from tests.support.factories import act, history, run
from tests.support.noventiq import FakeNoventiq, order, product

__all__ = ["hook", "people", "port", "shop"]  # fixtures


def test_a_cancellation_counts_when_the_vendor_has_said_so(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    number = bought(shop, hook)["order_id"]
    act(people["anna"], cancel_subscription, number, position=1)
    assert (subscription_status(number), awaited(number).state) == ("active", "recorded")
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert shop.control("state")["subscriptions"][f"{number}_1"]["status"] == "cancelled"
    assert (subscription_status(number), awaited(number).state) == ("active", "sent")
    with pytest.raises(SubscriptionUnchanged):
        act(people["anna"], cancel_subscription, number, position=1)
    # A message about something else confirms nothing.
    assert shop.send(number, "product.delivered", index=1, event_date=LATER) == 202
    assert shop.send(number, "subscription.cancelled", event_date=LATER) == 202
    assert shop.send(number, "subscription.cancelled", event_date=LATER) == 200
    work()
    action = awaited(number)
    assert (subscription_status(number), action.state) == ("cancelled", "confirmed")
    assert action.external_id == f"{number}_1"
    assert [row.text for row in run(
        "SELECT text FROM order_history WHERE order_id = :id AND source = 'portal' AND kind = 'subscription' "
        "ORDER BY id", id=number,
    )] == [
        f"Cancellation recorded here; Noventiq has to confirm it: subscription {number}_1",
        f"Auto-renewal has been deactivated: subscription {number}_1, confirmed by Noventiq",
    ]  # fmt: skip


def test_a_resumption_goes_the_same_way(shop: FakeNoventiq, hook: Hook, people: dict[str, int]) -> None:
    number = bought(shop, hook, status="cancelled")["order_id"]
    assert subscription_status(number) == "cancelled"
    act(people["anna"], resume_subscription, number, position=1)
    deliver_due()
    # What answers a cancellation does not answer a resumption.
    shop.send(number, "subscription.cancelled", event_date=LATER)
    work()
    assert awaited(number).state == "sent"
    shop.send(number, "subscription.restored", event_date="2099-01-01T00:00:01+00:00")
    work()
    assert (subscription_status(number), awaited(number).state) == ("active", "confirmed")


def test_a_forged_answer_confirms_nothing(shop: FakeNoventiq, hook: Hook, people: dict[str, int]) -> None:
    """The signature covers no subscription: whether it is cancelled, the API says."""
    number = bought(shop, hook)["order_id"]
    act(people["anna"], cancel_subscription, number, position=1)
    shop.send(number, "subscription.cancelled", event_date=LATER)
    apply_incoming()
    assert (subscription_status(number), awaited(number).state) == ("active", "recorded")


def test_a_refusal_is_told(shop: FakeNoventiq, hook: Hook, people: dict[str, int]) -> None:
    number = bought(shop, hook)["order_id"]
    act(people["anna"], cancel_subscription, number, position=1)
    refusal = {"errors": [{"error": 3002, "message": "Renewal is being paid."}]}
    shop.control("fault", path="modify_activity", status=400, body=refusal)
    work()
    action = awaited(number)
    assert (subscription_status(number), action.state) == ("active", "refused")
    assert action.message == "Noventiq answered 400: Renewal is being paid."
    assert history(number)[-1] == (
        f"The cancellation of subscription {number}_1 was refused by Noventiq: "
        "Noventiq answered 400: Renewal is being paid."
    )


def test_a_cancellation_is_made_again_after_troubles(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    number = bought(shop, hook)["order_id"]
    act(people["anna"], cancel_subscription, number, position=1)
    shop.control("expire_tokens")
    shop.control("fault", path="modify_activity", status=500)
    work()
    work()
    assert len(shop.calls("modify_activity")) == 2
    assert awaited(number).state == "sent"
    assert shop.control("state")["subscriptions"][f"{number}_1"]["status"] == "cancelled"


def test_the_hook_answers_as_every_hook_does(shop: FakeNoventiq, hook: Hook, port: int) -> None:
    made = order(next(numbers), product(1, quantity=0))
    shop.control("order", **made)
    assert shop.send(made["order_id"], "order.created") == 422
    shop.control("set", secret="another")
    assert shop.send(made["order_id"], "order.created") == 401
    shop.control("set", secret="secret_key", hook_url=f"http://127.0.0.1:{port}/hooks/v1/c_{'x' * 22}")
    assert shop.send(made["order_id"], "order.created") == 404
