"""Connections in Chromium: from "Add connection" to a confirmed cancellation, by what the pages say."""

import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from tests.browser.support import Order, button, dialog, said, subscribed
from tests.browser.table import click_row
from tests.browser.test_administration import section
from tests.support.chromium import settle
from tests.support.factories import document, item
from tests.support.hook_control import Arrived, HookReceiver, hook_receiver
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in

STORE = "demo-us"
T = TypeVar("T")


@pytest.fixture
def shop(portal: Portal) -> Iterator[HookReceiver]:
    """A shop on this machine. No other test finds the connections that were made to it."""
    with hook_receiver() as receiver:
        yield receiver
    portal.execute("DELETE FROM connection")


def post(address: str, secret: str, message: dict[str, Any]) -> tuple[int, Any]:
    """What a shop's developer writes: the message, signed; the answer's status and body."""
    now, body = datetime.now(UTC), json.dumps(message)
    message_id = f"msg_{uuid.uuid4().hex}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    request = urllib.request.Request(address, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def envelope(type_: str, **data: Any) -> dict[str, Any]:
    return {"type": type_, "timestamp": datetime.now(UTC).isoformat(), "data": data}


def eventually(page: Page, look: Callable[[], list[T]]) -> list[T]:
    """What is seen as soon as there is something, within ten seconds."""
    for _ in range(100):
        if seen := look():
            return seen
        page.wait_for_timeout(100)
    raise AssertionError("Nothing came.")


def cancellations(shop: HookReceiver) -> list[Arrived]:
    return [got for got in shop.arrived() if got.json["type"] == "subscription.cancel_requested"]


def secrets_shown(page: Page) -> list[str]:
    """The addresses and secrets of the open dialog, in its order."""
    expect(button(dialog(page), "Done")).to_be_visible(timeout=15_000)  # it comes last
    settle(page)
    codes = dialog(page).get_by_test_id("stCode")
    # The browser fetches what draws them when it needs it first.
    expect(codes).to_have_count(dialog(page).locator(".es-code-label").count(), timeout=15_000)
    return [text.strip() for text in codes.all_inner_texts()]


def add_connection(page: Page, shop: HookReceiver) -> list[str]:
    """Fill the dialog as an administrator does, with a wrong address first; what is to be pasted where."""
    button(page, "Add connection").click()
    settle(page)
    form = dialog(page)
    form.get_by_role("combobox", name=re.compile("Store")).click()
    page.get_by_role("option", name="Demo shop, Americas").click()
    form.get_by_label("Name").fill("Our shop")
    form.get_by_label("The shop's address for actions").fill("http://shop.example.com/hook")
    button(form, "Create connection").click()
    expect(form.get_by_role("alert").filter(has_text="must begin with https://")).to_be_visible(
        timeout=15_000
    )
    form.get_by_label("The shop's address for actions").fill(shop.url())
    form.get_by_text("The shop confirms refunds").click()
    button(form, "Create connection").click()
    return secrets_shown(page)


def test_from_add_connection_to_a_confirmed_cancellation(
    page: Page, portal: Portal, shop: HookReceiver
) -> None:
    order = Order(portal, subscribed("AR", "active"), STORE)
    sign_in(page, portal, "admin@demo.example")
    section(page, "Connections")
    expect(page.get_by_text("No store is connected yet")).to_be_visible()
    address, secret_in, out_url, secret_out = add_connection(page, shop)
    assert out_url == shop.url() and secret_in != secret_out
    button(dialog(page), "Done").click()
    expect(dialog(page)).to_have_count(0, timeout=15_000)
    expect(page.get_by_role("heading", name="Our shop")).to_be_visible()
    expect(page.locator(".es-copy").first).to_have_text(address)
    assert secret_in not in page.content() and secret_out not in page.content()
    # The test event reaches the shop, signed with the secret that was shown.
    button(page, "Send a test event").click()
    button(dialog(page), "Send a test event").click()
    said(page, "The shop answered 204.")
    [test] = shop.arrived()
    assert Webhook(secret_out).verify(test.body, test.headers)["type"] == "test"
    # A specialist cancels: nothing changes before the shop has answered.
    put_session(page, portal, "boris@demo.example")
    order.open(page)
    for attempt in range(2):
        button(page, "Cancel").click()
        button(dialog(page), "Cancel subscription").click()
        expect(page.locator(".es-way")).to_have_count(attempt + 1, timeout=15_000)
        expect(page.locator(".es-way").first).to_contain_text("Cancellation recorded here")
        expect(page.get_by_text("Auto-renewal has been activated").first).to_be_visible()
        expect(button(page, "Cancel")).to_have_count(0)
        if attempt == 0:  # what nobody answers is given up by hand, and done again
            button(page, "Stop waiting").click()
            dialog(page).get_by_label("Note").fill("They know nothing of it.")
            button(dialog(page), "Stop waiting").click()
            said(page, "no longer waits for the shop, and can be done again.")
    action_id = eventually(page, lambda: cancellations(shop)[1:])[0].json["data"]["action_id"]
    assert post(address, secret_in, envelope("action.succeeded", action_id=action_id))[0] == 202
    confirmed = "SELECT 1 FROM awaited_action WHERE id = %s AND state = 'confirmed'"
    eventually(page, lambda: portal.execute(confirmed, action_id))
    expect(page.locator(".es-way").first).to_contain_text(  # by itself
        re.compile(r"recorded here .* → sent to the shop \d\d:\d\d → confirmed by the shop \d\d:\d\d"),
        timeout=15_000,
    )
    expect(page.get_by_text("Auto-renewal has been deactivated").first).to_be_visible()


def choose(page: Page, label: str) -> None:
    """One of the card's less frequent actions."""
    button(page, "More").click()
    page.get_by_role("menuitem", name=label).or_(page.get_by_role("option", name=label)).first.click()
    settle(page)


def test_messages_are_shown_with_their_reason_and_applied_again(
    page: Page, portal: Portal, shop: HookReceiver
) -> None:
    sign_in(page, portal, "admin@demo.example")
    section(page, "Connections")
    address, secret, *_ = add_connection(page, shop)
    button(dialog(page), "Done").click()
    good = document(
        order_id=7_700_001, checkout_page=STORE, customer={"email": "never.shown@customer.example"}
    )
    assert post(address, secret, envelope("order.upserted", **good))[0] == 202
    status, answer = post(address, secret, envelope("order.upserted", **good | {"items": [item(amount=10)]}))
    assert (status, answer["field"]) == (422, "data.items[0].amount")
    eventually(page, lambda: portal.execute("SELECT 1 FROM inbox WHERE state = 'applied'"))
    section(page, "Connections")
    expect(page.locator(".es-counts").first).to_have_text("Received 2 · applied 1 · refused 1")
    button(page, "Show received").click()
    settle(page)
    page.get_by_role("radio", name="Refused").click()
    settle(page)
    click_row(page)
    expect(page.locator(".es-letter")).to_contain_text(answer["message"], timeout=15_000)
    expect(page.locator(".es-body")).to_contain_text('"email": "•••"')
    assert "never.shown" not in page.content()
    button(page, "Apply again").click()
    button(dialog(page), "Apply again").click()
    said(page, "The message will be applied again.")
    again = "SELECT 1 FROM inbox WHERE state = 'refused' AND attempts > 0"
    eventually(page, lambda: portal.execute(again))
    button(page, "Replay…").click()
    button(dialog(page), "Replay").click()
    said(page, "1 message will be applied again.")
    # Two secrets during a rotation; a connection that is switched off is an unknown address.
    button(page, "All connections").click()
    settle(page)
    choose(page, "Rotate incoming secret")
    button(dialog(page), "Rotate").click()
    [newer] = secrets_shown(page)
    button(dialog(page), "Done").click()
    for valid in (secret, newer):
        assert post(address, valid, envelope("test"))[0] == 202
    choose(page, "Switch off")
    button(dialog(page), "Switch off").click()
    said(page, "The connection Our shop is switched off.")
    assert post(address, newer, envelope("test"))[0] == 404
    choose(page, "Delete")
    button(dialog(page), "Delete connection").click()
    said(page, "The connection Our shop was deleted.")
    expect(page.get_by_text("No store is connected yet")).to_be_visible()
