"""Reports in Chromium: a period, a click on a bar, a click on a store."""

import re

from playwright.sync_api import Page, expect

from tests.browser.table import box_of, click_row
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in


def orders_of(portal: Portal, days: int) -> int:
    [[number]] = portal.execute(
        "SELECT count(*) FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id WHERE p.name = 'demo-eu' AND "
        "(o.created_at AT TIME ZONE 'Europe/Berlin')::date > (now() AT TIME ZONE 'Europe/Berlin')::date - %s::integer",
        days,
    )
    return int(number)


def figure(page: Page, number: int) -> None:
    expect(page.locator(".es-figures dd").first).to_have_text(f"{number:,}", timeout=15_000)
    settle(page)


def test_a_period_a_bar_and_a_store(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "carla@demo.example")
    page.get_by_role("link", name="Reports").click()
    figure(page, orders_of(portal, 30))
    page.get_by_role("radio", name="90 days").click()
    figure(page, orders_of(portal, 90))
    # A click on a bar opens the orders of its day.
    box = box_of(page.get_by_test_id("stVegaLiteChart"))
    chart = page.get_by_test_id("stVegaLiteChart")
    for part in range(3, 40):  # not every day has an order: go along the foot of the chart until a bar is hit
        chart.click(position={"x": box["width"] * part / 40, "y": box["height"] * 0.7})
        page.wait_for_timeout(250)
        settle(page)
        if "s=" in page.url:
            break
    expect(page.get_by_role("heading", name="Orders", exact=True)).to_be_visible(timeout=15_000)
    assert re.search(r"/\?s=[\w-]+(&order=\d+)?$", page.url), page.url
    expect(page.get_by_role("button", name=re.compile("^Created"))).to_be_visible(timeout=15_000)
    settle(page)
    assert page.locator(".es-count").inner_text() != "0 orders"
    # The form of either page keeps its own search.
    page.get_by_role("link", name="Reports").click()
    figure(page, orders_of(portal, 90))
    page.get_by_role("link", name="Orders").click()
    expect(page.locator(".es-count")).to_be_visible(timeout=15_000)
    # Somebody else's store is no filter here, and nothing found says what to do.
    page.get_by_role("link", name="Reports").click()
    figure(page, orders_of(portal, 90))
    page.get_by_label("Email").fill("nobody@nowhere.example")
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page.get_by_text("There are no orders in this period")).to_be_visible(timeout=15_000)
    page.get_by_label("Activation code").fill("x")
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page.get_by_text("Nothing was counted.")).to_be_visible(timeout=15_000)


def test_a_click_on_a_store_opens_its_orders(page: Page, portal: Portal) -> None:
    put_session(page, portal, "anna@demo.example")
    page.goto("/reports")
    figure(page, orders_of(portal, 30))
    expect(page.get_by_role("heading", name="Refunds and subscriptions by store")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    settle(page)
    click_row(page)
    expect(page.get_by_role("button", name=re.compile("demo-eu")).last).to_be_visible(timeout=15_000)
    expect(page.locator(".es-count")).to_have_text(f"{orders_of(portal, 30):,} orders", timeout=15_000)
