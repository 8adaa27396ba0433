"""A refund by Stripe in Chromium: what stands before the button, and what follows once Stripe has paid back."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import NEVER_REFUNDED, Order, button, choose, dialog, press, request, said
from tests.support import stripe_provider as fake
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session
from tests.support.stripe_control import StripeProvider, stripe_provider

STORE = "demo-eu"


@pytest.fixture
def provider(portal: Portal) -> Iterator[StripeProvider]:
    with stripe_provider() as running:
        yield running
    portal.execute("DELETE FROM refund_reservation")
    portal.execute("DELETE FROM connection")


def connect(portal: Portal, provider: StripeProvider, **options: object) -> None:
    """A Stripe connection of the store, or other options for the one that is there."""
    portal.execute(
        "INSERT INTO connection (checkout_page_id, kind, name, key, topics, confirms, options) "
        "SELECT id, 'stripe', 'Stripe', 'c_0123456789abcdefghijkl', '{refunds}', true, %s FROM checkout_page "
        "WHERE name = %s ON CONFLICT (key) DO UPDATE SET options = excluded.options",
        json.dumps({"api_base": provider.base} | options),
        STORE,
    )
    portal.execute("DELETE FROM connection_secret")
    portal.execute(
        "INSERT INTO connection_secret (connection_id, purpose, secret) SELECT id, 'api', %s FROM connection",
        fake.KEY,
    )


def paid_through_stripe(portal: Portal, provider: StripeProvider) -> Order:
    order = Order(
        portal, f"o.status = 'paid' AND {NEVER_REFUNDED} AND o.currency = 'EUR' AND o.total > 1", STORE
    )
    portal.execute(
        "UPDATE orders SET payment_provider = 'stripe', payment_reference = 'pi_' || order_id WHERE order_id = %s",
        order.order_id,
    )
    [[total]] = portal.execute("SELECT total FROM orders WHERE order_id = %s", order.order_id)
    provider.add_payment(f"pi_{order.order_id}", int(Decimal(total) * 100))
    return order


def test_a_refund_that_stripe_pays_back(page: Page, portal: Portal, provider: StripeProvider) -> None:
    order = paid_through_stripe(portal, provider)
    connect(portal, provider, day_cap="EUR 1")
    put_session(page, portal, "admin@demo.example")
    request(page, order, "Bought twice")
    said(page, f"Refund request has been sent for order {order.name}.")
    choose(page, portal, order)
    press(page, "Take")
    said(page, f"You have taken the refund request for order {order.name}.")

    button(page, "Fulfil").click()
    expect(dialog(page).get_by_text("is above the connection's cap for a day, EUR 1.00.")).to_be_visible(
        timeout=15_000
    )
    settle(page)
    expect(button(dialog(page), "Fulfil")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)

    connect(portal, provider)
    page.reload()
    settle(page)
    choose(page, portal, order)
    button(page, "Fulfil").click()
    note = "Stripe is asked to pay this back. The request stays open until the answer is here."
    expect(dialog(page).get_by_text(note)).to_be_visible(timeout=15_000)
    settle(page)
    dialog(page).get_by_label("Note").fill("As the customer asked.")
    button(dialog(page), "Fulfil").click()
    said(page, "Stripe has to confirm it.")

    for _ in range(100):
        [[status]] = portal.execute("SELECT refund_status FROM orders WHERE order_id = %s", order.order_id)
        if status == "completed":
            break
        page.wait_for_timeout(100)
    assert status == "completed"
    assert [refund["status"] for refund in provider.refunds] == ["succeeded"]
