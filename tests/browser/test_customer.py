"""From an order to its customer; what administrators export; a licence reissued; an unpaid order cancelled."""

import json

from playwright.sync_api import Page, expect

from tests.browser.support import LIVE_CODE, MAILABLE, Order, button, dialog, said
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session


def test_the_customer_of_an_order(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE}")
    portal.execute(
        "UPDATE orders SET email = %s, phone = '+49 30 7654321' WHERE order_id IN (SELECT o.order_id FROM orders o "
        "JOIN checkout_page p ON p.id = o.checkout_page_id WHERE p.name = 'demo-eu' AND o.order_id <> %s "
        "AND NOT o.customer_erased AND o.status = 'paid' ORDER BY o.order_id DESC LIMIT 2)",
        order.email,
        order.order_id,
    )
    put_session(page, portal, "admin@demo.example")
    order.open(page)
    page.get_by_role("link", name="more order").click()
    expect(page.get_by_role("heading", name="Customer", exact=True)).to_be_visible()
    expect(page.locator(".es-customer-order", has_text=order.name).first).to_be_visible()
    expect(page.locator(".es-money")).to_contain_text("EUR")
    assert order.email not in page.url and f"order={order.order_id}" in page.url
    button(page, "Personal data").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON").click()
    held = json.loads(download.value.path().read_text("utf-8"))
    assert held["about"]["e-mail"] == order.email and len(held["orders"]) >= 3
    button(page, "Go on to the deletion").click()
    expect(page.get_by_label("E-mail of the person")).to_have_value(order.email)
    assert order.email not in page.url
    page.goto(f"{portal.url}/customer?order=1")
    expect(page.get_by_text("There is no such order among the stores you can see.")).to_be_visible()


def test_reissue_and_cancel_an_order(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE}")
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    old = page.locator(".es-code .es-copy").first.inner_text()
    button(page, "Reissue").first.click()
    dialog(page).get_by_label("New activation code").fill(old)
    dialog(page).get_by_label("Reason").fill("Posted in a forum")
    button(dialog(page), "Replace and send").click()
    expect(dialog(page).locator(".es-field-error")).to_contain_text("is to be replaced")
    dialog(page).get_by_label("New activation code").fill("NEW1-NEW2-NEW3")
    button(dialog(page), "Replace and send").click()
    said(page, f"The activation code of order {order.name} was replaced")
    expect(page.locator(".es-code del").filter(has_text=old).first).to_be_visible()
    expect(page.locator(".es-code .es-copy").filter(has_text="NEW1-NEW2-NEW3").first).to_be_visible()
    settle(page)
    unpaid = Order(portal, "o.status = 'not paid'")
    unpaid.open(page)
    button(page, "Cancel order").click()
    dialog(page).get_by_label("Reason").fill("Ordered twice")
    button(dialog(page), "Cancel this order").click()
    said(page, f"Order {unpaid.name} was cancelled; it is Deleted now.")
    assert unpaid.history() == ["The unpaid order was cancelled. Reason: Ordered twice"]
