"""The search box in Chromium: it has the keyboard, Enter finds, and what else a text can mean is one click away."""

import re

from playwright.sync_api import Page, expect

from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in


def enter(page: Page, text: str) -> None:
    box = page.get_by_label("Search", exact=True)
    box.fill(text)
    box.press("Enter")


def count(page: Page, sentence: str) -> None:
    expect(page.locator(".es-count")).to_have_text([sentence], timeout=20_000)


def test_a_specialist_types_what_the_customer_says_and_reads_the_order(portal: Portal, page: Page) -> None:
    [[name, email, last_name, card, order_id]] = portal.execute(
        "SELECT order_name, email, last_name, card_last_4, order_id FROM orders o "
        "JOIN checkout_page p ON p.id = o.checkout_page_id "
        "WHERE p.name = 'demo-eu' AND card_last_4 IS NOT NULL AND email IS NOT NULL AND last_name IS NOT NULL "
        "ORDER BY order_id LIMIT 1"
    )
    sign_in(page, portal, "anna@demo.example")
    expect(page.get_by_label("Search", exact=True)).to_be_focused(timeout=20_000)
    page.keyboard.type(f"order {name}")
    page.keyboard.press("Enter")
    count(page, "1 order")
    expect(page.get_by_text("Order items", exact=True)).to_be_visible()
    expect(page.get_by_label("Order IDs", exact=True)).to_have_value(name)
    assert name not in page.url

    enter(page, f"{last_name}, {email}, card {card} 25:99")
    expect(page.get_by_text("Not searched for: “25:99”")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Email", exact=True)).to_have_value(email)
    chips = page.locator(".st-key-search_chips button")
    expect(chips.filter(has_text=f"Card: {card}")).to_have_count(1)
    chips.filter(has_text=f"Card: {card}").click()
    expect(chips.filter(has_text="Card:")).to_have_count(0, timeout=20_000)
    expect(page.get_by_label("Search", exact=True)).to_have_value("")
    assert str(email) not in page.url

    # A company that is called like the customer.
    [[other, company]] = portal.execute(
        "SELECT order_id, company_name FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
        "WHERE p.name = 'demo-eu' AND NOT customer_erased AND order_id <> %s ORDER BY order_id DESC LIMIT 1",
        order_id,
    )
    portal.execute("UPDATE orders SET company_name = %s WHERE order_id = %s", last_name, other)
    try:
        enter(page, last_name)
        rivals = page.locator(".st-key-search_rivals button")
        expect(rivals).to_have_text(
            [re.compile(f"Last Name: {last_name} · [0-9]+ order"), f"Company: {last_name} · 1 order"],
            timeout=20_000,
        )
        rivals.nth(1).click()
        count(page, "1 order")
        expect(page.get_by_text("Order items", exact=True)).to_be_visible()
    finally:
        portal.execute("UPDATE orders SET company_name = %s WHERE order_id = %s", company, other)


def test_a_pasted_column_is_a_list_of_orders_and_the_box_leaves_other_fields_alone(
    portal: Portal, page: Page
) -> None:
    names = [
        row[0]
        for row in portal.execute(
            "SELECT order_name FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
            "WHERE p.name = 'demo-eu' ORDER BY order_id LIMIT 3"
        )
    ]
    sign_in(page, portal, "anna@demo.example")
    box = page.get_by_label("Search", exact=True)
    expect(box).to_be_focused(timeout=20_000)
    page.evaluate(
        """lines => { const data = new DataTransfer(); data.setData("text/plain", lines);
        document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""",
        "\n".join(names),
    )
    expect(box).to_have_value(", ".join(names))
    box.press("Enter")
    count(page, "3 orders")
    page.get_by_label("Email", exact=True).click()
    settle(page)
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    enter(page, "")
    [[total]] = portal.execute(
        "SELECT count(*) FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id WHERE p.name = 'demo-eu'"
    )
    count(page, f"{total:,} orders")
