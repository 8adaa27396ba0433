"""What is done to an order in Chromium, and the mail that arrives. Each test takes an order that no other has."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import (
    LIVE_CODE,
    MAILABLE,
    NEVER_REFUNDED,
    Order,
    about,
    arrived,
    button,
    dialog,
    refused,
    said,
    subscribed,
)
from tests.browser.table import click_row
from tests.support.chromium import settle
from tests.support.mail_server import MailServer
from tests.support.portal import Portal
from tests.support.signing_in import put_session

# Licences


def test_resend_reaches_the_customer_and_not_the_licence_user(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND EXISTS (SELECT FROM order_item i "
        "WHERE i.order_id = o.order_id AND i.license_email IS NOT NULL AND i.license_email <> o.email)",
    )
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Resend").first.click()
    code = dialog(page).locator(".es-mono").last.inner_text()
    expect(dialog(page)).to_contain_text(order.email)
    button(dialog(page), "Resend").dblclick()
    said(page, f"The licence of order {order.name} is being sent to {order.email}.")
    got = arrived(page, mailbox, about(order, order.email))
    assert got.message["Subject"] == f"Your licence for order {order.name}"
    assert code in got.text and code in got.html
    page.wait_for_timeout(500)
    [line] = order.history()
    assert re.fullmatch(
        rf"Licence e-mail has been sent to {re.escape(order.email)} \(item \d+, code \d+\)", line
    )
    order.open(page)
    expect(page.locator(".es-history").get_by_text(line)).to_be_visible()
    users = portal.execute("SELECT license_email FROM order_item WHERE order_id = %s", order.order_id)
    assert not any(mailbox.to(address) for (address,) in users if address)


@pytest.mark.parametrize(
    ("condition", "store", "why"),
    [
        ("o.status = 'terminated'", "demo-eu", "Licences are sent only while the order is Paid."),
        ("o.status = 'paid' AND o.email IS NOT NULL", "demo-apac", "Delivery is not allowed for this checkout page."),
        ("o.status = 'paid' AND o.customer_erased", "demo-eu", "The customer's e-mail was deleted at their request."),
    ],
)  # fmt: skip
def test_the_page_says_why_there_is_no_resend(
    condition: str, store: str, why: str, page: Page, portal: Portal
) -> None:
    order = Order(portal, f"{condition} AND {LIVE_CODE}", store)
    put_session(page, portal, "refunds@demo.example")
    order.open(page)
    expect(page.get_by_text(f"Cannot resend: {why}")).to_be_visible()
    expect(button(page, "Resend")).to_have_count(0)


def test_deleted_codes_have_no_resend(page: Page, portal: Portal) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND EXISTS "
        "(SELECT FROM activation_code c WHERE c.order_id = o.order_id AND c.deleted)",
    )
    [[live]] = portal.execute(
        "SELECT count(*) FROM activation_code WHERE order_id = %s AND NOT deleted", order.order_id
    )
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    expect(page.locator(".es-code del").first).to_be_visible()
    expect(button(page, "Resend")).to_have_count(live)


def test_a_corrected_email_gets_the_licence(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE}")
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Correct e-mail").click()
    dialog(page).get_by_label("New e-mail").fill("no address")
    button(dialog(page), "Save e-mail").click()
    refused(page, "Mail cannot be sent to this e-mail address.")
    expect(dialog(page).get_by_label("New e-mail")).to_have_value("no address")
    dialog(page).get_by_label("New e-mail").fill("right@customer.example")
    button(dialog(page), "Save e-mail").click()
    said(page, f"The e-mail of order {order.name} is now right@customer.example.")
    line = f"The customer's e-mail was corrected from {order.email} to right@customer.example"
    expect(page.locator(".es-history").get_by_text(line)).to_be_visible()
    [[details]] = portal.execute(
        "SELECT details FROM audit_log WHERE order_id = %s AND succeeded AND action = 'correct e-mail'",
        order.order_id,
    )
    assert details == {"old": order.email, "new": "right@customer.example"}
    settle(page)
    button(page, "Resend").first.click()
    button(dialog(page), "Resend").click()
    said(page, "is being sent to right@customer.example.")
    arrived(page, mailbox, about(order, "right@customer.example"))
    assert not [got for got in mailbox.to(order.email) if order.name in str(got.message["Subject"])]


# Subscriptions


def test_cancel_and_resume(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    expect(page.get_by_text("Auto-renewal has been activated").first).to_be_visible()
    button(page, "Cancel").click()
    expect(dialog(page)).to_contain_text(order.name)
    dialog(page).get_by_label("Reason (optional)").fill("Asked by phone")
    button(dialog(page), "Cancel subscription").click()
    said(page, f"Auto-renewal has been deactivated for order {order.name}.")
    expect(page.locator(".es-subscribed")).to_contain_text("Auto-renewal has been deactivated")
    expect(page.locator(".es-subscribed")).to_contain_text("cancelled by Anna Andersson: Asked by phone")
    settle(page)
    button(page, "Resume").click()
    button(dialog(page), "Resume subscription").click()
    said(page, f"Auto-renewal has been activated for order {order.name}.")
    expect(button(page, "Cancel")).to_be_visible()
    [first, second] = order.history()
    assert first.startswith("Auto-renewal has been deactivated") and first.endswith("Reason: Asked by phone")
    assert second.startswith("Auto-renewal has been activated")
    rows = portal.execute(
        "SELECT changed_by, change_reason, changed_at IS NOT NULL FROM subscription WHERE order_id = %s",
        order.order_id,
    )
    assert rows == [("anna@demo.example", "Resume in the support portal", True)]


def test_a_cancelled_pmr_says_that_it_cannot_be_resumed(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("PMR", "active"))
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_contain_text("A PMR subscription cannot be resumed afterwards.")
    button(dialog(page), "Cancel subscription").click()
    said(page, "Auto-renewal has been deactivated")
    expect(page.get_by_text("A PMR subscription cannot be resumed.")).to_be_visible()
    expect(button(page, "Resume")).to_have_count(0)


def test_what_a_colleague_did_meanwhile_is_refused_in_the_dialog(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_be_visible()
    portal.execute("UPDATE subscription SET status = 'cancelled' WHERE order_id = %s", order.order_id)
    button(dialog(page), "Cancel subscription").click()
    refused(page, "This subscription is cancelled already.")
    assert order.history() == []
    [[reason]] = portal.execute(
        "SELECT details ->> 'reason' FROM audit_log WHERE order_id = %s AND NOT succeeded", order.order_id
    )
    assert reason == "This subscription is cancelled already."


# Notes, and who sees no button


def test_a_note_is_marked_as_internal(page: Page, portal: Portal) -> None:
    order = Order(portal, "o.status = 'paid'")
    hostile = "<img src=x onerror=\"document.title='run'\"> **Calls** every day"
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Add note").click()
    dialog(page).get_by_label("Internal note").fill(hostile)
    button(dialog(page), "Save note").click()
    said(page, f"The note was added to order {order.name}.")
    line = page.locator(".es-history li").filter(has_text=hostile)
    expect(line).to_contain_text("Internal note")
    expect(line).to_contain_text("Anna Andersson")
    assert page.title() != "run"
    [[key]] = portal.execute("SELECT page_key::text FROM orders WHERE order_id = %s", order.order_id)
    page.goto(f"/o/{key}")
    expect(page.get_by_role("heading", name=f"Order {order.name}")).to_be_visible()
    assert "every day" not in page.content()


def test_a_dialog_that_is_closed_does_nothing(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    button(page, "Add note").click()
    expect(dialog(page)).to_contain_text("Internal note")
    assert order.history() == []


def test_analysts_see_no_button(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND {NEVER_REFUNDED}")
    put_session(page, portal, "carla@demo.example")
    order.open(page)
    expect(page.get_by_text("Order History", exact=True)).to_be_visible()
    for label in ("Request refund", "Resend", "Cancel", "Resume", "Correct e-mail", "Add note"):
        expect(button(page, label)).to_have_count(0)
    expect(page.get_by_role("link", name="My refund requests")).to_have_count(0)


# The mail log


def test_an_administrator_reads_a_message_and_sends_it_again(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE}")
    refuse = order.email
    mailbox.on_rcpt = lambda address: "550 5.1.1 No such user" if address == refuse else None
    try:
        put_session(page, portal, "admin@demo.example")
        order.open(page)
        button(page, "Resend").first.click()
        button(dialog(page), "Resend").click()
        said(page, "is being sent to")
        for _ in range(100):
            if order.history():
                break
            page.wait_for_timeout(100)
        assert order.history() == [
            f"Licence e-mail to {refuse} failed. The mail server answered 550 5.1.1 No such user"
        ]
    finally:
        mailbox.on_rcpt = lambda _: None
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("radio", name="Mail log").click()
    expect(page.get_by_role("radio", name="Waiting")).to_be_visible(timeout=15_000)
    page.get_by_role("radio", name="Failed").click()
    expect(page.get_by_role("radio", name="Failed")).to_have_attribute("aria-checked", "true")
    settle(page)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    for _ in range(5):  # a click is lost when the table is drawn anew beneath it
        click_row(page)
        page.wait_for_timeout(1000)
        settle(page)
        if button(page, "Send again").count():
            break
    expect(page.get_by_text(f"Your licence for order {order.name}").last).to_be_visible(timeout=15_000)
    expect(page.get_by_text("550 5.1.1 No such user").last).to_be_visible()
    button(page, "Send again").click()
    button(dialog(page), "Send again").click()
    said(page, "The message is in the queue again.")
    arrived(page, mailbox, about(order, refuse))
