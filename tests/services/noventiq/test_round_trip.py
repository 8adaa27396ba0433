"""From a press of a button here to the vendor and back: the API over HTTP one way, signed webhooks the other."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from starlette.applications import Starlette

from pages.web.hooks import HOOK_ROUTES
from services.delivery.dispatching import deliver_due
from services.delivery.incoming import apply_incoming
from services.delivery.outcomes import Fate
from services.order_actions.subscriptions import (
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.services.noventiq.shop import Hook, erase, items_of, make_due, order_row, subscription_status
from tests.support import factories
from tests.support.connected import awaited, events
from tests.support.factories import act, history, mails, run
from tests.support.noventiq import FakeNoventiq, Json, connection_of, order, product
from tests.support.served_app import served_app

_numbers = itertools.count(600_001)
PAID = "2026-11-01T10:00:00+03:00"
# Later than anything that is recorded here: the vendor's clock.
LATER = "2099-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def hook(database: str, process: FakeNoventiq) -> Hook:
    return Hook(*connection_of("shop-r", api_url=process.url, refund_email="us@merchant.example"))


@pytest.fixture(scope="module")
def people(hook: Hook) -> dict[str, int]:
    return {
        "anna": factories.account("anna", stores=["shop-r"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-r"]),
    }


@pytest.fixture(scope="module")
def port(hook: Hook) -> Iterator[int]:
    with served_app(Starlette(routes=HOOK_ROUTES)) as port:
        yield port


@pytest.fixture
def shop(vendor: FakeNoventiq, hook: Hook, port: int) -> FakeNoventiq:
    """The vendor, whose webhooks come to this portal, and nothing on its way to it."""
    run("DELETE FROM outbox_event")
    vendor.control("set", hook_url=f"http://127.0.0.1:{port}/hooks/v1/{hook.key}")
    return vendor


def bought(
    shop: FakeNoventiq, hook: Hook, *, status: str = "active", email: str = "marcel@example.com"
) -> Json:
    """A paid order of two products, the first with an AR subscription; it came by its webhooks."""
    number = next(_numbers)
    renewal = {"id": f"{number}_1", "type": "AR", "status": status}
    made = order(number, product(1, subscription=renewal), product(2), status="paid", pay_date=PAID)
    made["customer"]["email"] = email
    shop.control("order", **made)
    assert shop.send(number, "order.payment.succeeded") == 202
    work()
    assert order_row(number).status == "paid" and len(items_of(number)) == 2
    return made


def work() -> None:
    make_due()
    run("UPDATE delivery SET next_attempt_at = now() WHERE state = 'waiting'")
    deliver_due()
    apply_incoming()


def request_state(order_id: int) -> Any:
    [row] = run("SELECT * FROM refund_request WHERE order_id = :id", id=order_id)
    return row


def approved(people: dict[str, int], order_id: int, *positions: int) -> int:
    act(people["anna"], request_refund, order_id, reason="Bought twice")
    request_id = int(request_state(order_id).id)
    act(people["rita"], take_request, request_id)
    act(
        people["rita"],
        fulfil_request,
        request_id,
        positions=list(positions),
        delete_codes=True,
        stop_renewal=True,
        note="Paid back.",
        expected_amount=Decimal(100 * len(positions)),
    )
    return request_id


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


def test_a_refund_counts_when_all_of_its_products_were_returned(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    number = bought(shop, hook)["order_id"]
    approved(people, number, 1, 2)
    assert (order_row(number).refund_status, awaited(number).state) == ("updating", "recorded")
    assert shop.send(number, "product.returned", index=0, event_date="2026-01-01T00:00:00+00:00") == 202
    work()  # which was before, and answers nothing
    assert awaited(number).state == "sent"
    [call] = shop.calls("refund")
    assert call["body"]["email"] == "us@merchant.example"
    assert call["body"]["description"].startswith(f"Full refund of order A{number:010}, EUR 200.00, request")
    assert "Antivirus" not in call["body"]["description"] and "Product 2" in call["body"]["description"]


def test_a_refund_of_two_products_waits_for_both(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    number = bought(shop, hook)["order_id"]
    approved(people, number, 1, 2)
    work()
    shop.send(number, "product.returned", index=1, event_date=LATER)
    work()
    assert hook.states()[-1] == ("unchanged", "The refund waits for the return of 1 more of its products.")
    assert (order_row(number).refund_status, awaited(number).state) == ("updating", "sent")
    assert not any(item.refunded for item in items_of(number)) and mails(number) == []
    shop.control("order", **order(number, product(1), product(2), status="deleted", pay_date=PAID))
    shop.send(number, "product.returned", index=0, event_date=LATER)
    work()
    row = order_row(number)
    assert (row.status, row.refund_status, awaited(number).state) == ("deleted", "completed", "confirmed")
    assert all(item.refunded for item in items_of(number))
    assert request_state(number).result == "full"
    assert [event.type for event in events(number)][-1] == "refund.completed"
    [mail] = mails(number)
    assert mail.to_address == "anna@test.example" and "full refund completed" in mail.text_body
    # The renewal that was stopped here with it is stopped there as well.
    work()
    assert shop.control("state")["subscriptions"][f"{number}_1"]["status"] == "cancelled"


def test_a_refund_of_an_erased_person_is_completed_all_the_same(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    """Of their messages nothing is kept, but how many there were."""
    number = bought(shop, hook, email="gone@example.com")["order_id"]
    approved(people, number, 1, 2)
    work()
    erase("gone@example.com")
    shop.send(number, "product.returned", index=1, event_date=LATER)
    work()
    assert awaited(number).state == "sent"
    assert run("SELECT body FROM inbox ORDER BY id DESC LIMIT 1")[0].body is None
    shop.send(number, "product.returned", index=0, event_date=LATER)
    work()
    assert awaited(number).state == "confirmed" and request_state(number).result == "full"


def test_a_partial_refund(shop: FakeNoventiq, hook: Hook, people: dict[str, int]) -> None:
    number = bought(shop, hook)["order_id"]
    approved(people, number, 2)
    work()
    # The other product is returned, as after a chargeback: that is the shop's word, and no answer.
    shop.send(number, "product.returned", index=0, event_date=LATER)
    work()
    assert awaited(number).state == "sent" and [item.refunded for item in items_of(number)] == [True, False]
    shop.send(number, "product.returned", index=1, event_date=LATER)
    work()
    assert awaited(number).state == "confirmed" and request_state(number).status == "completed"
    assert [item.refunded for item in items_of(number)] == [True, True]


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_asks_for_a_refund(
    shop: FakeNoventiq, hook: Hook, people: dict[str, int]
) -> None:
    """The vendor has the request, and nobody knows: the next worker neither makes a second nor takes it for refused."""
    number = bought(shop, hook)["order_id"]
    approved(people, number, 2)
    shop.control("fault", path="refund", lost=True, delay=20)
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.mail", "--once"],
        env=os.environ | {"ESUPPORT_HOOK_HOSTS": "127.0.0.1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not shop.control("state")["open_refunds"]:
            assert time.monotonic() < deadline and worker.poll() is None
            time.sleep(0.05)
    finally:
        worker.kill()
        worker.wait(10)
    assert awaited(number).state == "recorded"
    work()
    assert awaited(number).state == "sent" and len(shop.calls("refund")) == 2
    shop.send(number, "product.returned", index=1, event_date=LATER)
    work()
    assert (awaited(number).state, request_state(number).status) == ("confirmed", "completed")


def test_a_return_that_nobody_waits_for_is_the_shops_word(shop: FakeNoventiq, hook: Hook) -> None:
    """A chargeback, or a refund that was asked for at the vendor's own portal."""
    number = bought(shop, hook)["order_id"]
    shop.send(number, "product.returned", index=1, event_date=LATER)
    work()
    assert [item.refunded for item in items_of(number)] == [False, True]
    assert order_row(number).status == "paid"


def test_the_hook_answers_as_every_hook_does(shop: FakeNoventiq, hook: Hook, port: int) -> None:
    made = order(next(_numbers), product(1, quantity=0))
    shop.control("order", **made)
    assert shop.send(made["order_id"], "order.created") == 422
    shop.control("set", secret="another")
    assert shop.send(made["order_id"], "order.created") == 401
    shop.control("set", secret="secret_key", hook_url=f"http://127.0.0.1:{port}/hooks/v1/c_{'x' * 22}")
    assert shop.send(made["order_id"], "order.created") == 404
