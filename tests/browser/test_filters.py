"""The fields behind More in Chromium: what is chosen and what is typed, errors, chips, a link, reports."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_orders import count, find, open_more
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in


def number(portal: Portal, condition: str) -> str:
    [[orders]] = portal.execute(
        "SELECT count(*) FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
        f"WHERE p.name = 'demo-eu' AND {condition}"
    )
    return f"{orders:,} order{'' if orders == 1 else 's'}"


def test_a_purchase_is_found_by_country_total_product_and_method(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    open_more(page)
    settle(page)
    # Typed and left, without a choice from the list.
    page.get_by_label("Country").fill("germany")
    page.get_by_label("Country").press("Tab")
    find(page)
    count(page, number(portal, "o.country = 'DE'"))
    expect(page.get_by_role("button", name=re.compile(r"^Country: Germany \(DE\)"))).to_be_visible()

    page.get_by_label("Total from").fill("49,00")
    find(page)
    expect(page.locator(".es-field-error")).to_have_text("A total needs its currency. Please choose one.")
    expect(page.locator(".es-count")).to_have_count(0)
    page.get_by_label("Currency").click()
    page.get_by_role("option", name="EUR", exact=True).click()
    find(page, Total_to="x")
    expect(page.locator(".es-field-error")).to_have_text(re.compile("This is not an amount"))
    find(page, Total_to="200")
    count(page, number(portal, "o.country = 'DE' AND o.currency = 'EUR' AND o.total BETWEEN 49 AND 200"))
    link = page.url

    page.get_by_role("button", name=re.compile(r"^Total EUR 49\.00 – 200\.00")).click()
    count(page, number(portal, "o.country = 'DE'"))
    expect(page.get_by_label("Total from")).to_have_value("")
    page.goto(link)
    count(page, number(portal, "o.country = 'DE' AND o.currency = 'EUR' AND o.total BETWEEN 49 AND 200"))
    expect(page.get_by_label("Total from")).to_have_value("49.00")

    page.get_by_role("button", name="Clear all").click()
    count(page, number(portal, "true"))
    page.get_by_label("Payment method").click()
    page.get_by_role("option", name="PayPal", exact=True).click()
    find(page, Product_or_SKU="photo DARKROOM")
    count(
        page,
        number(
            portal,
            "o.payment_method = 'PayPal' AND EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id "
            "AND i.name = 'Photo Darkroom')",
        ),
    )


def test_a_period_fills_in_its_days_here_and_in_reports(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "carla@demo.example")
    open_more(page)
    settle(page)
    page.get_by_label("Creation period").click()
    page.get_by_role("option", name="Last month", exact=True).click()
    find(page)
    last_month = (
        "(o.created_at AT TIME ZONE 'Europe/Berlin')::date BETWEEN "
        "date_trunc('month', now() AT TIME ZONE 'Europe/Berlin' - interval '1 month')::date "
        "AND date_trunc('month', now() AT TIME ZONE 'Europe/Berlin')::date - 1"
    )
    count(page, number(portal, last_month))
    expect(page.get_by_label("Order creation date from")).to_have_value(re.compile(r"^01/\d\d/\d{4}$"))
    expect(page.get_by_role("button", name=re.compile("^Created last month: 1–"))).to_be_visible()
    # Days that are written set the period aside.
    page.get_by_label("Order creation date to").fill("")
    find(page)
    expect(page.get_by_role("button", name=re.compile("^Created last month"))).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Created 1 "))).to_be_visible()

    page.get_by_role("link", name="Reports").click()
    expect(page.locator(".es-figures")).to_have_count(1, timeout=15_000)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Creation period").click()
    page.get_by_role("option", name="This year", exact=True).click()
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page.get_by_role("button", name=re.compile("^Created this year"))).to_be_visible(timeout=15_000)
