"""Refunds, from *Fulfil* here to a request at the vendor and back by its signed webhooks."""

import os
import subprocess
import sys
import time
from decimal import Decimal
from typing import Any

import pytest

from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.services.noventiq.round_trip import LATER, PAID, bought, hook, people, port, shop, work
from tests.services.noventiq.shop import Hook, erase, items_of, order_row
from tests.support.connected import awaited, events
from tests.support.factories import act, mails, run
from tests.support.noventiq import FakeNoventiq, order, product

__all__ = ["hook", "people", "port", "shop"]  # fixtures


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
