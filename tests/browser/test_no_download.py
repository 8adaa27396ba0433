"""No table hands out its rows as a file: only the export does, which is recorded in the audit log."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.table import box_of, middle_of_row, table_in
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import put_session


@pytest.mark.parametrize(
    ("email", "address", "section"),
    [
        ("anna@demo.example", "/", None),
        ("anna@demo.example", "/reports", None),
        ("refunds@demo.example", "/refund_queue", None),
        ("admin@demo.example", "/administration", "Accounts"),
        ("admin@demo.example", "/administration", "Audit log"),
    ],
)
def test_no_table_offers_a_download(
    page: Page, portal: Portal, email: str, address: str, section: str | None
) -> None:
    put_session(page, portal, email)
    page.request.get("/documents/1")  # so that there is something in the audit log
    page.goto(address)
    if section:
        page.get_by_role("radio", name=section).click()
    table = table_in(page)
    expect(table).to_be_visible(timeout=20_000)
    settle(page)
    # The control: the buttons of the toolbars are where they are looked for, though nobody sees them.
    buttons = page.locator('[data-testid="stElementToolbar"] button')
    expect(buttons.first).to_be_attached()
    labels = buttons.evaluate_all(
        "buttons => buttons.map((button) => button.getAttribute('aria-label') || button.textContent)"
    )
    assert any(label.startswith("Search") for label in labels), labels
    assert not any("CSV" in label for label in labels), labels  # a chart's picture has no orders in it
    assert "Download as CSV" not in page.content()
    for toolbar in page.get_by_test_id("stElementToolbar").all():
        expect(toolbar).to_be_hidden()


def test_a_table_is_searched_with_its_key(page: Page, portal: Portal) -> None:
    put_session(page, portal, "anna@demo.example")
    page.goto("/")
    expect(table_in(page)).to_be_visible(timeout=20_000)
    settle(page)
    page.evaluate("document.querySelector('[data-testid=stDataFrame] canvas').focus()")
    page.keyboard.press("Control+f")
    expect(page.locator(".gdg-search-bar")).to_be_visible(timeout=10_000)
