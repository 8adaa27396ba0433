"""Views and the orders opened last: saved, shared, counted when looked at, one click away."""

from playwright.sync_api import Page, expect

from tests.browser.support import Order, button, dialog, said
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in


def test_a_view_is_saved_once_and_one_click_from_then_on(page: Page, portal: Portal) -> None:
    portal.execute("DELETE FROM order_view")
    portal.execute(
        "INSERT INTO team_member SELECT t.team_id, a.id FROM team_page t JOIN checkout_page p ON p.id = "
        "t.checkout_page_id CROSS JOIN account a WHERE p.name = 'demo-eu' AND a.email IN ('anna@demo.example', "
        "'carla@demo.example') ON CONFLICT DO NOTHING"
    )
    [[team]] = portal.execute(
        "SELECT t.name FROM team t JOIN team_page g ON g.team_id = t.id JOIN checkout_page p ON p.id = "
        "g.checkout_page_id WHERE p.name = 'demo-eu' ORDER BY t.id LIMIT 1"
    )
    sign_in(page, portal, "anna@demo.example")
    search = page.get_by_label("Search", exact=True)
    search.fill("not delivered")
    search.press("Enter")
    count = page.locator(".es-count")
    expect(page.locator(".st-key-search_chips button").first).to_contain_text("Not delivered", timeout=15_000)
    settle(page)
    number = (count.text_content() or "").split()[0]
    button(page, "Views").click()
    button(page, "Save this search").click()
    name = dialog(page).get_by_label("Name of the view")
    expect(name).to_be_focused()
    name.fill("To deliver")
    dialog(page).get_by_role("combobox").click()
    page.get_by_role("option", name=f"Team {team}").click()
    button(dialog(page), "Save view").click()
    said(page, "The view To deliver was saved")
    # A colleague has it, with the number of their own orders, and it is one click.
    put_session(page, portal, "carla@demo.example")
    page.goto("/")
    view = page.get_by_role("button", name="To deliver").first
    expect(view).to_be_visible(timeout=20_000)
    button(page, "Views").click()
    expect(page.locator(".es-view-count").filter(has_text=number).first).to_be_visible(timeout=15_000)
    button(page, "Change").click()
    expect(dialog(page).get_by_text("Its author or an administrator changes")).to_be_visible()
    expect(button(dialog(page), "Delete view")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    view.click()
    expect(count).to_have_text(f"{number} orders", timeout=15_000)
    assert "filters" not in page.url and "deliver" not in page.url


def test_the_orders_opened_last_stay_after_a_reload_and_lead_back(page: Page, portal: Portal) -> None:
    portal.execute("DELETE FROM opened_orders")
    sign_in(page, portal, "anna@demo.example")
    orders = (Order(portal, "o.status = 'paid'"), Order(portal, "o.status = 'deleted'"))
    for order in orders:
        order.open(page)
    page.goto("/")
    button(page, "Recent").click()
    listed = page.locator("[class*='st-key-recent_line_'] button")
    expect(listed).to_have_text([order.name for order in reversed(orders)], timeout=15_000)
    button(page, orders[0].name).click()
    expect(page.locator(".es-order-name")).to_contain_text(orders[0].name, timeout=15_000)
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
