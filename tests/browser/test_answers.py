"""An order with an action that waits for its shop, in Chromium: the answer appears by itself and disturbs nobody."""

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import Order, button, dialog, subscribed
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session

STORE = "demo-us"
LONGER_THAN_A_LOOK = 2_500


@pytest.fixture
def order(portal: Portal) -> Iterator[Order]:
    """With a cancellation that was sent to the shop."""
    order = Order(portal, subscribed("AR", "active"), STORE)
    portal.execute(
        "INSERT INTO awaited_action (id, order_id, checkout_page_id, kind, subject, wish, account_name, account_email, "
        "state, sent_at) SELECT %s, s.order_id, s.checkout_page_id, 'cancel subscription', s.subscription_id, '{}', "
        "'Boris', 'boris@demo.example', 'sent', now() FROM subscription s WHERE s.order_id = %s",
        uuid.uuid4(),
        order.order_id,
    )
    yield order
    portal.execute("DELETE FROM awaited_action WHERE order_id = %s", order.order_id)


def answer(portal: Portal, order: Order, state: str) -> None:
    portal.execute(
        "UPDATE awaited_action SET state = %s, answered_at = now() WHERE order_id = %s", state, order.order_id
    )


def test_an_answer_appears_by_itself_but_never_under_somebodys_hands(
    page: Page, portal: Portal, order: Order
) -> None:
    put_session(page, portal, "boris@demo.example")
    order.open(page)
    way = page.locator(".es-way").first
    expect(way).to_contain_text("waits for the answer of the shop")
    # In a dialog, nothing is drawn anew.
    button(page, "Add note").click()
    note = dialog(page).get_by_role("textbox")
    note.fill("Called the customer")
    answer(portal, order, "refused")
    page.wait_for_timeout(LONGER_THAN_A_LOOK)
    expect(note).to_have_value("Called the customer")
    expect(way).to_contain_text("waits for the answer of the shop")
    dialog(page).get_by_role("button", name="Close").click()
    expect(way).to_contain_text("refused by the shop", timeout=15_000)
    # Elsewhere, what was typed and where the page was scrolled to stay.
    portal.execute(
        "UPDATE awaited_action SET state = 'sent', answered_at = NULL WHERE order_id = %s", order.order_id
    )
    order.open(page)
    typed = page.get_by_label("Email", exact=True)
    typed.fill("half an addr")
    way.scroll_into_view_if_needed()
    place = way.bounding_box()
    answer(portal, order, "confirmed")
    expect(way).to_contain_text("confirmed by the shop", timeout=15_000)
    settle(page)
    shown = way.bounding_box()
    assert place and shown and shown["y"] == place["y"]
    expect(typed).to_have_value("half an addr")
