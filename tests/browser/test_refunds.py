"""Refunds in Chromium, from the request to the answer. Each test takes an order that no other has."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import (
    LIVE_CODE,
    NEVER_REFUNDED,
    Order,
    about,
    arrived,
    button,
    choose,
    dialog,
    press,
    refused,
    request,
    said,
)
from tests.support.chromium import settle
from tests.support.mail_server import MailServer
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}\N{ZERO WIDTH JOINER}\N{BOY}"


def test_a_reason_of_501_characters_is_refused_and_kept(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED}")
    put_session(page, portal, "anna@demo.example")
    request(page, order, FAMILY * 501)
    refused(page, "The reason may have 500 characters at most; this has 501.")
    expect(dialog(page).get_by_label("Refund reason")).to_have_value(FAMILY * 501)
    dialog(page).get_by_label("Refund reason").fill("")
    button(dialog(page), "Send").click()
    refused(page, "The reason is needed.")
    dialog(page).get_by_label("Refund reason").fill(FAMILY * 500)
    button(dialog(page), "Send").dblclick()
    said(page, f"Refund request has been sent for order {order.name}.")
    expect(page.locator(".es-status")).to_contain_text("Refund request has been sent")
    expect(button(page, "Request refund")).to_have_count(0)
    assert order.history() == [f"Refund request has been sent. Reason: {FAMILY * 500}"]


@pytest.mark.parametrize(
    "condition",
    ["o.status = 'not paid'", "o.status = 'deleted'", "o.status = 'terminated'", "o.status = 'paid' AND o.total = 0",
     "EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.status IN ('requested', 'updating'))",
     "o.status = 'paid' AND o.refund_status = 'completed'"],
)  # fmt: skip
def test_no_refund_is_offered(condition: str, page: Page, portal: Portal) -> None:
    order = Order(portal, condition)
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    expect(button(page, "Request refund")).to_have_count(0)


def test_a_refund_from_the_request_to_the_answer(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {NEVER_REFUNDED} AND {LIVE_CODE} AND o.payment_method = 'WireTransfer'",
    )
    put_session(page, portal, "anna@demo.example")
    request(page, order, "Bought twice")
    said(page, f"Refund request has been sent for order {order.name}.")
    rita = page.context.browser.new_page(base_url=portal.url, viewport={"width": 1440, "height": 900})  # type: ignore[union-attr]
    try:
        sign_in(rita, portal, "refunds@demo.example")
        choose(rita, portal, order)
        press(rita, "Take")
        said(rita, f"You have taken the refund request for order {order.name}.")
        press(rita, "Release")
        said(rita, f"The refund request for order {order.name} is back in the queue.")
        press(rita, "Take")
        said(rita, f"You have taken the refund request for order {order.name}.")
        button(rita, "Fulfil").click()
        button(dialog(rita), "Fulfil").click()
        refused(rita, "A note is needed.")
        dialog(rita).get_by_label("Note").fill("Paid back by wire.")
        button(dialog(rita), "Fulfil").click()
        said(rita, f"Full refund completed for order {order.name}.")
    finally:
        rita.context.close()
    got = arrived(page, mailbox, about(order, "anna@demo.example"))
    assert got.message["Subject"] == f"[Esupport] Refund request for {order.name} has been completed"
    assert got.text == (
        f"Your refund request for {order.name} has been completed with result: full refund completed"
    )
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Deleted")
    expect(page.locator(".es-status")).to_contain_text("Request has been completed")
    expect(page.locator(".es-code del").first).to_be_visible()
    expect(page.get_by_text("Paid back by wire.").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(f"^refund-{order.name}-")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("link", name="My refund requests").click()
    row = page.locator(".es-table tr").filter(has_text=order.name)
    expect(row).to_contain_text("Request has been completed")
    expect(row).to_contain_text("Full refund")
    row.get_by_role("link").click()
    expect(page.locator(".es-order-name")).to_contain_text(order.name, timeout=15_000)


def test_some_items_keep_the_order_paid(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {NEVER_REFUNDED} AND "
        "(SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 2",
    )
    put_session(page, portal, "refunds@demo.example")
    request(page, order, "One of them does not run")
    said(page, "Refund request has been sent")
    choose(page, portal, order)
    press(page, "Take")
    said(page, "You have taken")
    button(page, "Fulfil").click()
    dialog(page).get_by_text(re.compile(r"^2\s")).click()
    dialog(page).get_by_text("Delete their activation codes").click()
    dialog(page).get_by_label("Note").fill("First one only.")
    button(dialog(page), "Fulfil").click()
    said(page, f"Partial refund completed for order {order.name}.")
    got = arrived(page, mailbox, about(order, "refunds@demo.example"))
    assert got.text.endswith("with result: partial refund completed")
    items = portal.execute(
        "SELECT position, refunded FROM order_item WHERE order_id = %s ORDER BY 1", order.order_id
    )
    assert items == [(1, True), (2, False)]
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Paid")
    expect(page.locator(".es-item").first).to_contain_text("Refunded")
    expect(button(page, "Request refund")).to_have_count(0)


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("Refuse", "The refund for order {} was refused."),
        ("Mark as failed", "The refund for order {} was marked as failed."),
    ],
)
def test_a_request_that_is_turned_down(
    label: str, sentence: str, page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED}")
    put_session(page, portal, "refunds@demo.example")
    request(page, order, "Changed their mind <b>twice</b>")
    said(page, "Refund request has been sent")
    choose(page, portal, order)
    expect(page.get_by_text("Changed their mind <b>twice</b>").last).to_be_visible()
    press(page, "Take")
    said(page, "You have taken")
    press(page, label, note="Used for a year.")
    said(page, sentence.format(order.name))
    got = arrived(page, mailbox, about(order, "refunds@demo.example"))
    assert got.text == f"Your refund request for {order.name} has been completed with result: refund failed"
    choose(page, portal, order, "Closed")
    expect(page.get_by_text("Used for a year.").first).to_be_visible()
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Refusal to refund")
    expect(button(page, "Request refund")).to_be_visible()


def test_the_queue_is_for_refund_operators(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    expect(page.get_by_role("link", name="My refund requests")).to_be_visible()
    expect(page.get_by_role("link", name="Refund queue")).to_have_count(0)
    page.goto("/refund_queue")
    settle(page)
    expect(page.get_by_role("heading", name="Refund queue")).to_have_count(0)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
