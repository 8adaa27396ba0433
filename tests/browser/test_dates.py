"""Fields for a day in Chromium: whatever way of writing, an error for what is no day, and the calendar below them."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_orders import count, find, open_more
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

LABELS = (
    "Order creation date from",
    "Order creation date to",
    "Order payment date from",
    "Order payment date to",
)


def created(portal: Portal, start: date, end: date) -> int:
    [[number]] = portal.execute(
        "SELECT count(*) FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu' "
        "AND (orders.created_at AT TIME ZONE 'Europe/Berlin')::date BETWEEN %s AND %s",
        start,
        end,
    )
    return int(number)


def orders(number: int) -> str:
    return f"{number:,} order{'' if number == 1 else 's'}"


@pytest.mark.parametrize("way", ["{:%Y/%m/%d}", "{:%d/%m/%Y}", "{:%d.%m.%Y}", "{:%Y-%m-%d}", "{:%d%m%Y}"])
def test_a_day_is_typed_in_any_of_these_ways(page: Page, portal: Portal, way: str) -> None:
    [[newest]] = portal.execute(
        "SELECT max((orders.created_at AT TIME ZONE 'Europe/Berlin')::date) FROM orders JOIN checkout_page p "
        "ON p.id = checkout_page_id WHERE p.name = 'demo-eu'"
    )
    day = newest - timedelta(days=20)
    sign_in(page, portal, "anna@demo.example")
    open_more(page)
    page.get_by_label("Order creation date from").click()
    page.keyboard.type(way.format(day))
    page.keyboard.press("Tab")
    page.get_by_label("Order creation date to").click()
    page.keyboard.type(way.format(newest))
    page.keyboard.press("Enter")
    count(page, orders(created(portal, day, newest)))
    expect(page.get_by_label("Order creation date from")).to_have_value(f"{day:%d/%m/%Y}")
    expect(page.locator(".es-calendar")).to_have_count(0)


def test_what_is_no_day_is_an_error_by_its_field_and_nothing_is_searched(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    open_more(page)
    for label in LABELS:
        for typed in ("31.02.2026", "01/02/1913"):
            page.get_by_label(label).fill(typed)
            find(page, Email="nobody@test.example")
            expect(page.get_by_text("Nothing was searched.")).to_be_visible(timeout=15_000)
            settle(page)
            expect(page.locator(".es-field-error")).to_have_count(1)
            column = page.get_by_test_id("stColumn").filter(has=page.get_by_label(label))
            expect(column.last.locator(".es-field-error")).to_have_count(1)
            expect(page.locator(".es-count, .st-key-search_chips, [data-testid=stDataFrame]")).to_have_count(
                0
            )
            expect(page.get_by_label(label)).to_have_value(typed)
            assert "s=" not in page.url
        page.get_by_label(label).fill("")
    find(page, Email="")
    expect(page.locator(".es-count")).to_have_count(1, timeout=15_000)
    find(page, Order_creation_date_from="01/02/2013")
    count(page, "0 orders")


def test_reports_count_nothing_for_what_is_no_day(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "carla@demo.example")
    page.get_by_role("link", name="Reports").click()
    expect(page.locator(".es-figures")).to_have_count(1, timeout=15_000)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Order creation date from").fill("31.02.2026")
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page.get_by_text("Nothing was counted.")).to_be_visible(timeout=15_000)
    expect(page.locator(".es-field-error")).to_have_count(1)
    expect(page.locator(".es-figures")).to_have_count(0)


def test_the_audit_log_shows_nothing_for_what_is_no_day(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "admin@demo.example")
    page.get_by_role("link", name="Administration").click()
    page.get_by_text("Audit log", exact=True).click()
    expect(page.get_by_label("From", exact=True)).to_be_visible(timeout=15_000)
    settle(page)
    for label in ("From", "To"):
        page.get_by_label(label, exact=True).fill("31.02.2026")
        page.get_by_label(label, exact=True).press("Enter")
        expect(page.get_by_text("Nothing was searched.")).to_be_visible(timeout=15_000)
        settle(page)
        expect(page.locator(".es-field-error[role=alert]:visible")).to_have_count(1)
        expect(page.get_by_test_id("stDataFrame").filter(visible=True)).to_have_count(0)
        page.get_by_label(label, exact=True).fill("")
        page.get_by_label(label, exact=True).press("Enter")
        expect(page.get_by_test_id("stDataFrame").filter(visible=True)).to_have_count(1, timeout=15_000)
        settle(page)


def test_the_calendar_opens_with_the_cursor_and_is_worked_by_mouse_and_keyboard(
    page: Page, portal: Portal
) -> None:
    sign_in(page, portal, "anna@demo.example")
    open_more(page)
    settle(page)
    field, calendar = page.get_by_label("Order creation date from"), page.locator(".es-calendar")
    field.fill("15/03/2026")
    expect(calendar).to_have_count(1)
    expect(calendar.locator("strong")).to_have_text("March 2026")
    calendar.get_by_role("button", name="Month after").click()
    calendar.get_by_role("button", name="7 April 2026", exact=True).click()
    expect(calendar).to_have_count(0)
    expect(field).to_have_value("07/04/2026")
    other = page.get_by_label("Order creation date to")
    other.focus()
    expect(calendar).to_have_count(1)
    other.fill("31/03/2026")
    for key in ("ArrowDown", "PageDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(other).to_have_value("01/05/2026")
    expect(other).to_be_focused()
    expect(calendar).to_have_count(0)
    find(page)
    expect(page.get_by_role("button", name=re.compile("Created 7 Apr 2026 – 1 May 2026"))).to_be_visible(
        timeout=15_000
    )
    field.click()
    expect(calendar).to_have_count(1)
    page.keyboard.press("Escape")
    expect(calendar).to_have_count(0)
    page.get_by_label("First Name").focus()
    expect(calendar).to_have_count(0)
