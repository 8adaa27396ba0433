"""Keys and clicks that must not do what somebody did not mean."""

import re

from playwright.sync_api import Page, expect

from tests.browser.support import MAILABLE, NEVER_REFUNDED, Order, button, dialog
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in


def test_ctrl_enter_in_a_dialog_sends_the_dialog_and_esc_does_not_throw_text_away(
    page: Page, portal: Portal
) -> None:
    sign_in(page, portal, "anna@demo.example")
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED} AND {MAILABLE}")
    order.open(page)
    page.get_by_label("Email", exact=True).fill("nobody@test.example")
    button(page, "Request refund").click()
    reason = dialog(page).get_by_label("Refund reason")
    reason.click()
    page.keyboard.type("Typed by hand.")
    page.keyboard.press("Escape")
    page.mouse.click(20, 500)
    page.wait_for_timeout(400)
    expect(reason).to_have_value("Typed by hand.")
    reason.press("Control+Enter")
    expect(dialog(page)).to_have_count(0, timeout=15_000)
    settle(page)
    expect(page.locator(".es-order-name")).to_contain_text(order.name)
    assert portal.execute("SELECT reason FROM refund_request WHERE order_id = %s", order.order_id) == [
        ("Typed by hand.",)
    ]
    button(page, "Add note").click()
    expect(dialog(page).get_by_label("Internal note")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(page.locator(".es-order-name")).to_contain_text(order.name)


def test_esc_in_a_field_leaves_the_order_open(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    Order(portal, f"o.status = 'paid' AND {MAILABLE}").open(page)
    page.get_by_label("Email", exact=True).click()
    page.keyboard.type("x")
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    settle(page)
    expect(page.locator(".es-order-name")).to_have_count(1)
    page.locator(".es-count").click()
    page.keyboard.press("Escape")
    expect(page.locator(".es-order-name")).to_have_count(0, timeout=15_000)


def test_at_twice_the_size_find_is_whole_and_the_order_begins_on_the_first_screen(
    page: Page, portal: Portal
) -> None:
    page.set_viewport_size({"width": 720, "height": 450})
    sign_in(page, portal, "anna@demo.example")
    for order in (Order(portal, "o.status = 'paid'"), Order(portal, "o.status = 'deleted'")):
        order.open(page)
        page.wait_for_timeout(300)
        box = page.locator(".es-order-name").bounding_box()
        assert box is not None and box["y"] + box["height"] < 450
        assert page.get_by_test_id("stDataFrame").filter(visible=True).count() == 0
    find = page.get_by_role("button", name=re.compile("^Find"))
    assert find.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.get_by_role("button", name=re.compile("^Close order")).click()
    expect(page.get_by_test_id("stDataFrame").filter(visible=True)).to_have_count(1, timeout=15_000)


def test_an_order_by_its_address_stands_alone_when_the_list_does_not_hold_it(
    page: Page, portal: Portal
) -> None:
    [[oldest]] = portal.execute(
        "SELECT order_id FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu' "
        "ORDER BY orders.created_at LIMIT 1"
    )
    put_session(page, portal, "anna@demo.example")
    page.goto(f"/?order={oldest}")
    expect(page.locator(".es-order-name")).to_contain_text(str(oldest), timeout=20_000)
    settle(page)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Close order")).click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(1, timeout=15_000)
