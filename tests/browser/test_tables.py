"""Tables in Chromium hand out no file: what leaves the portal is an export, which is checked and recorded."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.table import box_of, table_in
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

# Undoes the rule of portal.css, as a renamed test id of Streamlit's would.
_WITHOUT_THE_RULE = '[data-testid="stElementToolbar"] { display: block !important; }'
_EXPORT = re.compile("csv", re.IGNORECASE)  # a chart offers its picture as well, which holds no rows


def hover(page: Page) -> Locator:
    """The toolbar of the page's first table, with the mouse over the table, where Streamlit shows it."""
    table = table_in(page)
    box = box_of(table)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.move(box["x"] + box["width"] / 2 + 5, box["y"] + 30)
    page.wait_for_timeout(400)
    return page.get_by_test_id("stElementToolbar")


def exports(page: Page) -> Locator:
    """What a person, or a reader of the page aloud, would find to take the rows away with."""
    return page.get_by_role("button", name=_EXPORT).and_(page.locator('[data-testid="stElementToolbar"] *'))


@pytest.mark.parametrize(
    ("address", "section"),
    [
        ("/", None),
        ("/reports", None),
        ("/refund_queue", None),
        ("/administration", "Accounts"),
        ("/administration", "Audit log"),
    ],
)
def test_a_table_shows_no_toolbar_and_would_hold_no_download(
    page: Page, portal: Portal, address: str, section: str | None
) -> None:
    sign_in(page, portal, "refunds@demo.example" if address == "/refund_queue" else "admin@demo.example")
    page.request.get("/documents/1")  # so that there is something in the audit log
    page.goto(address)
    if section:
        page.get_by_role("radio", name=section).click()
        settle(page)
    expect(table_in(page)).to_be_visible(timeout=20_000)
    settle(page)
    toolbar = hover(page)
    expect(toolbar.first).to_be_attached()
    assert not [bar for bar in toolbar.all() if bar.is_visible()], "the rule of portal.css"

    page.add_style_tag(content=_WITHOUT_THE_RULE)
    hover(page)
    assert [bar for bar in toolbar.all() if bar.is_visible()], "the toolbar is there, and only hidden"
    expect(toolbar.first.get_by_role("button").first).to_be_visible()
    assert exports(page).count() == 0, "client.disableDataExport"


def test_a_table_is_searched_with_its_key(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    expect(table_in(page)).to_be_visible(timeout=20_000)
    page.evaluate("document.querySelector('[data-testid=stDataFrame] canvas').focus()")
    page.keyboard.press("Control+f")
    expect(page.locator(".gdg-search-bar")).to_be_visible(timeout=10_000)
