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


def test_the_keyboard_alone_goes_through_the_results(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    search = page.get_by_label("Search", exact=True)
    expect(search).to_be_focused(timeout=15_000)
    spoken = page.locator(".es-voice")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.tagName") == "CANVAS":
            break
    expect(spoken).to_contain_text("Row 1 of 50")
    page.wait_for_timeout(500)
    expect(page.locator(".es-order-name")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(spoken).to_contain_text("Row 2 of 50")
    second = _name_in(spoken.text_content())
    page.keyboard.press("Enter")
    opened = page.locator(".es-order-name")
    expect(opened).to_contain_text(second, timeout=15_000)
    expect(page.get_by_test_id("data-grid-canvas")).to_be_focused(timeout=10_000)
    page.keyboard.press("j")
    expect(opened).not_to_contain_text(second, timeout=15_000)
    page.keyboard.press("k")
    expect(opened).to_contain_text(second, timeout=15_000)
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0, timeout=15_000)
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("j/k?")
    expect(search).to_have_value("j/k?")
    expect(opened).to_have_count(0)


def test_beyond_the_end_of_a_page_the_next_order_is_on_the_page_that_follows(
    page: Page, portal: Portal
) -> None:
    rows = portal.execute(
        "SELECT order_id, order_name FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id WHERE p.name = "
        "'demo-eu' ORDER BY o.created_at DESC, order_id DESC LIMIT 51"
    )
    put_session(page, portal, "anna@demo.example")
    page.goto(f"/?order={rows[49][0]}")
    opened = page.locator(".es-order-name")
    expect(opened).to_contain_text(rows[49][1], timeout=20_000)
    settle(page)
    page.wait_for_function("() => window.esupportOrders && window.esupportKeys")
    page.keyboard.press("j")
    expect(opened).to_contain_text(rows[50][1], timeout=15_000)
    settle(page)
    page.keyboard.press("k")
    expect(opened).to_contain_text(rows[49][1], timeout=15_000)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    keys.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.keyboard.press("j")
    page.wait_for_timeout(500)
    expect(opened).to_contain_text(rows[49][1])
    page.evaluate("() => localStorage.clear()")


def test_enter_finds_from_order_ids_and_a_pasted_column_keeps_its_lines(page: Page, portal: Portal) -> None:
    names = [Order(portal, f"o.status = '{status}'").name for status in ("paid", "deleted")]
    sign_in(page, portal, "anna@demo.example")
    ids = page.get_by_label("Order IDs")
    ids.fill("\n".join(names))
    ids.press("Enter")
    expect(page.locator(".es-count")).to_have_text("2 orders", timeout=15_000)
    expect(ids).to_have_value("\n".join(names))
    ids.press("Shift+Enter")
    expect(ids).to_have_value("\n".join(names) + "\n")


def _name_in(spoken: str | None) -> str:
    return (spoken or "").split(": ", 1)[1].split(",")[0]
