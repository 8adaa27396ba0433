"""The refund queue in Chromium: the oldest free request in three clicks, what is overdue, and who is told."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import NEVER_REFUNDED, Order, arrived, button, dialog, said
from tests.support.chromium import settle
from tests.support.mail_server import MailServer
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

LONG = (
    "The customer bought the same licence twice, and asks for the money of the second one to be given back "
    * 3
)


def asked_long_ago(portal: Portal, order: Order) -> None:
    """A request that has waited longer than all others."""
    portal.execute(
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email, "
        "requested_at) SELECT order_id, checkout_page_id, %s, 'Anna', 'anna@demo.example', now() - interval '400 days' "
        "FROM orders WHERE order_id = %s",
        LONG,
        order.order_id,
    )


@pytest.fixture
def limited(portal: Portal):  # type: ignore[no-untyped-def]
    """The store has a limit, and tells its customers."""
    portal.execute(
        "UPDATE checkout_page SET refund_limit_hours = 900, refund_mail = true WHERE name = 'demo-eu'"
    )
    yield
    portal.execute("UPDATE checkout_page SET refund_limit_hours = NULL, refund_mail = false")


@pytest.mark.usefixtures("limited")
def test_take_next_fulfil_confirm(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {NEVER_REFUNDED} AND o.email IS NOT NULL AND NOT o.customer_erased",
    )
    asked_long_ago(portal, order)
    portal.execute("UPDATE orders SET locale = 'de-DE' WHERE order_id = %s", order.order_id)
    sign_in(page, portal, "refunds@demo.example")
    link = page.get_by_role("link", name="Refund queue")
    link.click()
    expect(page.locator(".es-count")).to_contain_text("open requests", timeout=20_000)
    # The queue knows the numbers of now; in the navigation they are half a minute old at most.
    page.reload()
    expect(link).to_have_text(re.compile(r"Refund queue \(\d+, \d+ overdue\)"), timeout=20_000)
    expect(page.locator(".es-chip").filter(has_text="overdue")).to_be_visible()
    settle(page)
    button(page, "Take next").click()
    said(page, f"You have taken the refund request for order {order.name}.")
    expect(page.locator(".es-order-name")).to_contain_text(order.name)
    expect(page.get_by_role("radio", name="Taken by me")).to_be_checked()
    expect(page.locator(".es-cell").filter(has_text="Overdue")).to_be_visible()
    settle(page)
    button(page, "Fulfil").click()
    dialog(page).get_by_label("Note").fill("Paid back.")
    button(dialog(page), "Fulfil").click()
    said(page, f"Full refund completed for order {order.name}.")
    got = arrived(
        page,
        mailbox,
        lambda mail: order.name in str(mail.message["Subject"]) and mail.recipients != ["anna@demo.example"],
    )
    assert str(got.message["Subject"]).startswith("Rückerstattung Ihrer Bestellung")
    # What is filtered away is said, and comes back.
    page.get_by_role("radio", name="Closed").click()
    settle(page)
    button(page, "Filter").click()
    page.get_by_label("Reason", exact=True).fill("no request has such a reason")
    page.get_by_label("Reason", exact=True).press("Enter")
    expect(page.get_by_text("No refund request fits the filter.")).to_be_visible(timeout=15_000)
    page.keyboard.press("Escape")
    button(page, "Clear 1 condition").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=15_000)


def test_a_digest_is_chosen_in_the_profile(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "refunds@demo.example")
    page.goto("/profile")
    expect(page.get_by_role("heading", name="Refund requests by e-mail")).to_be_visible(timeout=20_000)
    settle(page)
    page.get_by_role("combobox", name="New and overdue requests").click()
    page.get_by_role("option", name="Once a day").click()
    expect(page.get_by_test_id("stToast").filter(has_text="Your choice was saved.")).to_be_visible(
        timeout=15_000
    )
    expect(page.get_by_role("combobox", name=re.compile(r"^At \("))).to_be_visible()
    chosen = (
        "SELECT every, hour FROM refund_digest d JOIN account a ON a.id = d.account_id WHERE a.email = %s"
    )
    assert portal.execute(chosen, "refunds@demo.example") == [("day", 8)]
    portal.execute("DELETE FROM refund_digest")
