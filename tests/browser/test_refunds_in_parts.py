"""A refund of a part, from the ready reason to the second operator's approval, in Chromium."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.support import NEVER_REFUNDED, Order, button, choose, dialog, said
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session

TWO_LINES = "(SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 2"


def test_a_part_is_requested_decided_and_approved(page: Page, portal: Portal, browser: Browser) -> None:
    order = Order(portal, f"o.status = 'paid' AND o.currency = 'EUR' AND {NEVER_REFUNDED} AND {TWO_LINES}")
    portal.execute("UPDATE orders SET total = 50 WHERE order_id = %s", order.order_id)
    portal.execute(
        "UPDATE order_item SET quantity = 5 * (2 - position) + position - 1, amount = 40 - 30 * (position - 1), "
        "refunded = false WHERE order_id = %s",
        order.order_id,
    )
    portal.execute(
        "UPDATE checkout_page SET refund_approval_limits = '{\"EUR\": \"20\"}' WHERE name = 'demo-eu'"
    )
    try:
        put_session(page, portal, "anna@demo.example")
        _request(page, order)
        _decide(browser, portal, order)
        _approve(browser, portal, order)
    finally:
        portal.execute("UPDATE checkout_page SET refund_approval_limits = NULL WHERE name = 'demo-eu'")
    order.open(page)
    expect(page.get_by_text("EUR 21.50").first).to_be_visible()
    assert [line.split(".")[0] for line in order.history() if "document" not in line] == [
        "Refund request has been sent",
        "Refund info is being updated",
        "Refund decided; a second operator has to approve it: EUR 21",
        "The refund decided by Rita Refunds was approved: EUR 21",
        "Request has been completed: partial refund completed, EUR 21",
    ]


def _request(page: Page, order: Order) -> None:
    """Two clicks and *Send*: a ready reason is enough. The proposal takes a few more."""
    order.open(page)
    button(page, "Request refund").click()
    dialog(page).get_by_text("Only a part of the order").click()
    dialog(page).get_by_text("A part of a line: by quantity or by amount").click()
    dialog(page).get_by_label("Quantity of item 1").fill("2")
    dialog(page).get_by_label("Quantity of item 1").press("Tab")
    dialog(page).get_by_label("Amount of item 2").fill("5.505")
    dialog(page).get_by_label("Amount of item 2").press("Tab")
    expect(dialog(page).get_by_text("amounts in EUR have 2 decimals")).to_be_visible()
    dialog(page).get_by_label("Amount of item 2").fill("5.50")
    dialog(page).get_by_label("Amount of item 2").press("Tab")
    expect(dialog(page).locator(".es-sum-total")).to_contain_text("EUR 21.50")
    settle(page)  # until then the dialog's last drawing may stand beside the new one
    dialog(page).get_by_text("Bought the wrong product").click()
    button(dialog(page), "Send").click()
    said(page, f"Refund request has been sent for order {order.name}.")


def _decide(browser: Browser, portal: Portal, order: Order) -> None:
    page = _queue(browser, portal, "refunds@demo.example", order)
    expect(page.get_by_text("Proposes to refund 2 pieces of item 1, EUR 5.50 of item 2")).to_be_visible()
    button(page, "Take").click()
    button(dialog(page), "Take").click()
    said(page, f"You have taken the refund request for order {order.name}.")
    button(page, "Fulfil").click()
    expect(dialog(page).locator(".es-sum-total")).to_contain_text("EUR 21.50")
    expect(dialog(page).get_by_text("A second operator has to approve this sum")).to_be_visible()
    dialog(page).get_by_label("Note").fill("Two seats were never used.")
    button(dialog(page), "Fulfil").click()
    said(page, "waits for the approval of a second operator.")
    expect(button(page, "Approve")).to_have_count(0)
    expect(button(page, "Withdraw")).to_be_visible()
    page.context.close()


def _approve(browser: Browser, portal: Portal, order: Order) -> None:
    page = _queue(browser, portal, "admin@demo.example", order)
    expect(page.get_by_text("Waits for a second operator")).to_be_visible()
    button(page, "Approve").click()
    expect(dialog(page).get_by_text("2 of 5")).to_be_visible()
    button(dialog(page), "Approve").click()
    said(page, f"Partial refund completed for order {order.name}. EUR 21.50 refunded.")
    page.context.close()


def _queue(browser: Browser, portal: Portal, email: str, order: Order) -> Page:
    """A page of this account with the order's request chosen."""
    page = browser.new_page(base_url=portal.url, viewport={"width": 1440, "height": 900})
    page.set_default_timeout(20_000)
    put_session(page, portal, email)
    page.goto("/")
    settle(page)
    choose(page, portal, order)
    return page
