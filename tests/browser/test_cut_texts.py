"""What finds no room in a table is one hover away, whole."""

from playwright.sync_api import Page, expect

from tests.browser.table import box_of, middle_of_row
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

REASON = (
    "The customer wrote three times, first in Polish, and wants the whole sum back to the card it came from; "
    * 4
)


def test_a_long_reason_in_the_refund_queue(page: Page, portal: Portal) -> None:
    [[request_id]] = portal.execute(
        "UPDATE refund_request SET reason = %s WHERE id = (SELECT id FROM refund_request WHERE closed_at IS NULL "
        "ORDER BY status <> 'requested', requested_at, id LIMIT 1) RETURNING id",
        REASON.strip(),
    )
    assert request_id
    sign_in(page, portal, "refunds@demo.example")
    page.get_by_role("link", name="Refund queue").click()
    expect(page.get_by_role("heading", name="Refund queue")).to_be_visible(timeout=15_000)
    settle(page)
    box = box_of(page.get_by_test_id("stDataFrame").first)
    tooltip = page.locator(".es-tooltip")
    for x in range(60, int(box["width"]), 40):
        page.mouse.move(box["x"] + x, middle_of_row(box))
        page.wait_for_timeout(40)
        if tooltip.count():
            break
    expect(tooltip).to_have_text(REASON.strip())
    page.mouse.move(10, 10)
    expect(tooltip).to_have_count(0)


def test_a_long_company_in_the_orders(page: Page, portal: Portal) -> None:
    name = "Gesellschaft für die Verwaltung von Wertpapieren und Immobilien mit beschränkter Haftung"
    portal.execute(
        "UPDATE orders SET company_name = %s WHERE order_id = (SELECT order_id FROM orders JOIN checkout_page p "
        "ON p.id = checkout_page_id WHERE p.name = 'demo-eu' AND NOT customer_erased "
        "ORDER BY orders.created_at DESC LIMIT 1)",
        name,
    )
    sign_in(page, portal, "anna@demo.example")
    expect(page.locator(".es-count")).to_have_count(1, timeout=20_000)
    settle(page)
    box = box_of(page.get_by_test_id("stDataFrame").first)
    tooltips = set()
    for x in range(60, int(box["width"]), 40):
        page.mouse.move(box["x"] + x, middle_of_row(box))
        page.wait_for_timeout(40)
        tooltips |= set(page.locator(".es-tooltip").all_inner_texts())
    assert name in tooltips
