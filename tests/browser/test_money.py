"""Money in Chromium: tables sort it as numbers, and the sum of a refund stands in the dialog before it is confirmed."""

import re
import time
from decimal import Decimal

from playwright.sync_api import Page, expect

from pages.components.orders.table import chips_size
from pages.rendering.formatting import money_cells
from tests.browser.support import NEVER_REFUNDED, Order, button, choose, dialog, press, request, said
from tests.browser.table import box_of
from tests.support.chromium import settle
from tests.support.mail_server import MailServer
from tests.support.portal import Portal
from tests.support.signing_in import put_session, sign_in

SORTED = ["EUR 72.00", "EUR 196.00", "EUR 1,234.50", "JPY 980", "JPY 12,000"]


def amounts(page: Page) -> list[str]:
    """The amounts in the rows of the first table, as a screen reader finds them, one space for many."""
    texts = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stDataFrame] canvas td')].map(cell => cell.textContent)"
    )
    return [" ".join(text.split()) for text in texts if re.fullmatch(r"[A-Z]{3} +[\d,.]+", text)]


def test_the_header_sorts_totals_as_numbers_by_currency_and_amount(page: Page, portal: Portal) -> None:
    first = 10**9 + time.time_ns() % 10**9
    name = f"Sorter{first}"
    for number, amount in enumerate(("JPY 12000", "EUR 196", "EUR 1234.5", "JPY 980", "EUR 72")):
        currency, total = amount.split()
        portal.execute(
            "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, currency, total, "
            "last_name) SELECT %s, id, %s, 'not paid', now(), %s, %s, %s FROM checkout_page WHERE name = 'demo-eu'",
            first + number, f"T{number}", currency, Decimal(total), name,
        )  # fmt: skip
    sign_in(page, portal, "anna@demo.example")
    page.get_by_text("More", exact=True).first.click()
    page.get_by_label("Last Name").fill(name)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("status").filter(has_text="5 orders")).to_be_visible(timeout=15_000)
    settle(page)
    before_total = 32 + 112 + chips_size([["Not paid", "Not delivered"]])[0]
    box = box_of(page.get_by_test_id("stDataFrame").first)
    page.mouse.click(box["x"] + before_total + 40, box["y"] + 16)
    settle(page)
    page.wait_for_timeout(500)
    assert amounts(page) == SORTED
    expect(page.get_by_role("button", name=re.compile("^Close order"))).to_have_count(0)


def test_the_tab_key_passes_through_a_table_without_opening_an_order(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=15_000)
    settle(page)
    reached = False
    for _ in range(60):
        page.keyboard.press("Tab")
        reached = reached or page.evaluate(
            "document.activeElement?.matches('[data-testid=stDataFrame] canvas')"
        )
    settle(page)
    assert reached
    expect(page.get_by_role("button", name=re.compile("^Close order"))).to_have_count(0)
    page.evaluate("document.querySelector('[data-testid=stDataFrame] canvas').focus()")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Close order"))).to_be_visible(timeout=15_000)


def test_a_browser_compares_amounts_as_numbers(page: Page) -> None:
    texts = ("0", "0.05", "7.95", "9.005", "72", "99.99", "196", "1000", "1234.5")
    sums = [Decimal(text) for text in texts]
    sums += [Decimal("999999.99"), Decimal("1000000"), Decimal("999999999999.999999")]
    wanted = [(amount, currency) for currency in ("BHD", "EUR", "JPY") for amount in sums]
    padded = money_cells(wanted)
    for language in ("en", "de", "ja", "ar", "sv"):
        sorted_cells = page.evaluate(
            "([cells, language]) => [...cells].reverse().sort((a, b) => a.localeCompare(b, language))",
            [padded, language],
        )
        assert sorted_cells == padded, language


def give_coupon_and_shared_code(portal: Portal, order: Order) -> None:
    """A coupon of 9 on the whole order, and one activation code on both of its items."""
    portal.execute("UPDATE order_item SET amount = 12 - 2 * position WHERE order_id = %s", order.order_id)
    portal.execute("UPDATE orders SET total = 9 WHERE order_id = %s", order.order_id)
    portal.execute("DELETE FROM activation_code WHERE order_id = %s", order.order_id)
    portal.execute(
        "INSERT INTO activation_code (order_id, position, number, checkout_page_id, code) "
        "SELECT order_id, position, 1, checkout_page_id, 'SAME-CODE' FROM order_item WHERE order_id = %s",
        order.order_id,
    )


def test_the_sum_stands_in_the_dialog_follows_the_ticks_and_is_what_is_given_back(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND o.currency = 'EUR' AND {NEVER_REFUNDED} AND o.payment_method = 'WireTransfer' AND "
        "(SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 2",
    )
    give_coupon_and_shared_code(portal, order)
    put_session(page, portal, "refunds@demo.example")
    request(page, order, "Paid too much")
    said(page, "Refund request has been sent")
    choose(page, portal, order)
    press(page, "Take")
    said(page, "You have taken")
    button(page, "Fulfil").click()
    total = dialog(page).locator(".es-sum-total")
    expect(total).to_contain_text("EUR 9.00")
    expect(dialog(page).get_by_text("as well. It stays valid there")).to_have_count(0)
    dialog(page).locator("label").filter(has_text="EUR 4.00 (line EUR 8.00)").click()
    expect(total).to_contain_text("EUR 5.00")
    expect(
        dialog(page).get_by_text("Item 1 has an activation code that is on item 2 as well.")
    ).to_be_visible()
    dialog(page).get_by_label("Note").fill("By wire.")
    # The shop sends another total meanwhile: what was confirmed is not what is given back.
    portal.execute("UPDATE orders SET total = 18 WHERE order_id = %s", order.order_id)
    button(dialog(page), "Fulfil").click()
    alert = dialog(page).get_by_role("alert").filter(has_text="these items come to EUR 10.00 now")
    expect(alert).to_be_visible(timeout=15_000)
    button(dialog(page), "Fulfil").click()
    said(page, f"Partial refund completed for order {order.name}. EUR 10.00 refunded.")
    choose(page, portal, order, "Closed")
    expect(page.locator(".es-item").filter(has_text="Refunded").last).to_contain_text("EUR 10.00")
    order.open(page)
    expect(page.locator(".es-request")).to_contain_text("Partial refund, EUR 10.00")
    expect(page.locator(".es-code del")).to_have_count(1)
    expect(button(page, "Resend")).to_have_count(1)
    page.get_by_role("link", name="My refund requests").click()
    expect(page.locator(".es-table tr").filter(has_text=order.name)).to_contain_text("EUR 10.00")
    assert order.history()[-2].startswith(
        "Request has been completed: partial refund completed, EUR 10.00, item 1."
    )
