"""Values whose spaces and lines matter are shown and copied as they are."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import LIVE_CODE, MAILABLE, Order, button, dialog
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session

CODES = [
    "ABCD  EFGH   IJKL",
    "LINE ONE\nLINE  TWO",
    "TAB\tBED\r\nEND",
    "A\n   \nB",
    " LEAD-AND-TRAIL  ",
    "<b>\u2003X</b>",
]


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_shown_and_copied_as_it_is(page: Page, portal: Portal, code: str) -> None:
    order = Order(portal, f"o.status = 'paid' AND {LIVE_CODE} AND {MAILABLE}")
    [[code_id, page_key]] = portal.execute(
        "SELECT c.id, o.page_key::text FROM activation_code c JOIN orders o USING (order_id) "
        "WHERE o.order_id = %s AND NOT c.deleted ORDER BY c.id LIMIT 1",
        order.order_id,
    )
    portal.execute("UPDATE activation_code SET code = %s WHERE id = %s", code, code_id)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    deadline = time.monotonic() + 20
    while not page.evaluate("window.esupportHabits"):  # the script that copies may come after the page
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    shown = page.locator(f'[class*="_code_{code_id}"] .es-copy')
    # HTML has one kind of line break.
    lines = code.replace("\r\n", "\n")
    assert shown.evaluate("element => element.textContent") == lines
    assert shown.evaluate("element => getComputedStyle(element).whiteSpace") == "break-spaces"
    shown.click()
    # Copying goes on after the click.
    deadline = time.monotonic() + 5
    while (copied := page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")) != lines:
        assert time.monotonic() < deadline, copied
        page.wait_for_timeout(20)
    page.locator(f'[class*="_code_{code_id}"]').get_by_role("button", name="Resend").click()
    said = dialog(page).locator(".es-copy")
    expect(said).to_have_count(1)
    assert said.evaluate("element => element.textContent") == lines
    page.goto(f"/o/{page_key}")
    codes = page.locator("code bdi")
    assert code in codes.evaluate_all("all => all.map(one => one.textContent)")
    assert codes.first.evaluate("element => getComputedStyle(element).whiteSpace") == "break-spaces"


def test_names_and_numbers_keep_their_spaces(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE}")
    portal.execute(
        "UPDATE orders SET company_name = 'Two  Spaces', vat_number = 'DE  123   4' WHERE order_id = %s",
        order.order_id,
    )
    put_session(page, portal, "anna@demo.example")
    order.open(page)
    for value in ("Two  Spaces", "DE  123   4"):
        texts = page.locator(".es-facts bdi").evaluate_all("all => all.map(one => one.innerText)")
        assert value in texts
    settle(page)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("VAT Number").fill("DE  123   4")
    page.get_by_label("VAT Number").press("Enter")
    expect(button(page, "VAT: DE\u00a0\u00a0123\u00a0\u00a0\u00a04")).to_have_count(1, timeout=15_000)
