"""The Orders page in Chromium: find, read, link, export, and what must not be seen."""

import csv
import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in


def rows(portal: Portal, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(portal.database_url.replace("+psycopg", "")) as connection:
        return connection.execute(statement, values).fetchall()


def find(page: Page, **fields: str) -> None:
    """Fills fields by label (underscores for spaces) and presses Find."""
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).first.fill(value)
    page.get_by_role("button", name=re.compile("^Find")).click()


def open_more(page: Page) -> None:
    """Opens the rest of the form, once the page is there to stay."""
    expect(page.locator(".es-count")).to_have_count(1, timeout=20_000)
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_label("First Name", exact=True)).to_be_visible()


def count(page: Page, sentence: str) -> None:
    expect(page.locator(".es-count")).to_have_text([sentence], timeout=20_000)


def eu_orders(portal: Portal) -> int:
    [[number]] = rows(
        portal,
        "SELECT count(*) FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu'",
    )
    return int(number)


def test_empty_form_lists_exactly_the_orders_of_anna(portal: Portal, page: Page) -> None:
    sign_in(page, portal, "anna@demo.example")
    count(page, f"{eu_orders(portal):,} orders")


def test_one_result_opens_itself_and_a_foreign_order_is_like_none(portal: Portal, page: Page) -> None:
    own, foreign = (
        rows(
            portal,
            "SELECT order_id, order_name, email FROM orders JOIN checkout_page p ON p.id = checkout_page_id "
            "WHERE p.name = %s AND email IS NOT NULL AND status = 'paid' LIMIT 1",
            store,
        )[0]
        for store in ("demo-eu", "demo-us")
    )
    sign_in(page, portal, "anna@demo.example")
    find(page, Order_IDs=own[1])
    count(page, "1 order")
    expect(page.get_by_text("Order items", exact=True)).to_be_visible()
    expect(page.get_by_text(own[2]).first).to_be_visible()
    find(page, Order_IDs=foreign[1])
    count(page, "0 orders")
    expect(page.get_by_text("No order matches")).to_be_visible()
    expect(page.get_by_text(foreign[2])).to_have_count(0)
    answers = []
    for order_id in (foreign[0], 987654321987):
        page.goto(f"{portal.url}/?order={order_id}")
        alert = page.get_by_text("There is no such order")
        expect(alert).to_be_visible(timeout=15_000)
        answers.append(alert.inner_text())
    assert answers[0] == answers[1]


def test_errors_stand_by_their_fields_and_nothing_is_searched(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "anna@demo.example")
    find(page, Order_IDs="12 abc", Phone_Number="none", Activation_code="ab")
    expect(page.get_by_role("alert").filter(has_text="abc")).to_be_visible()
    expect(page.locator(".es-field-error")).to_have_count(3)
    expect(page.locator(".es-count")).to_have_count(0)


def test_a_search_is_linked_without_personal_data_and_a_colleague_sees_their_own(
    page: Page, portal: Portal
) -> None:
    sign_in(page, portal, "refunds@demo.example")
    [(last_name, everywhere)] = rows(
        portal,
        "SELECT last_name, count(*) FROM orders WHERE last_name IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    )
    [(in_eu,)] = rows(
        portal,
        "SELECT count(*) FROM orders JOIN checkout_page p ON p.id = checkout_page_id "
        "WHERE p.name = 'demo-eu' AND last_name_key = fold(%s)",
        last_name,
    )
    open_more(page)
    find(page, Last_Name=f"  {last_name.upper()} ")
    count(page, f"{everywhere} orders")
    expect(page).to_have_url(re.compile(r"\?s=[\w-]+$"))
    address = page.url
    assert last_name.lower() not in address.lower()
    assert list(parse_qs(urlsplit(address).query)) == ["s"]
    assert page.context.browser
    other = page.context.browser.new_page()
    try:
        other.goto(address)
        sign_in(other, portal, "anna@demo.example")
        count(other, f"{in_eu} order{'' if in_eu == 1 else 's'}")
    finally:
        other.context.close()


def test_export_holds_exactly_what_was_found(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "carla@demo.example")
    count(page, f"{eu_orders(portal):,} orders")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    exported = list(csv.reader(io.StringIO(text, newline="")))
    ids = {row[0] for row in exported[1:]}
    assert ids == {
        str(order_id)
        for (order_id,) in rows(
            portal,
            "SELECT order_id FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu'",
        )
    }
    assert rows(
        portal, "SELECT count(*) FROM audit_log WHERE action = 'export' AND account_email LIKE 'carla%%'"
    )[0][0]


def test_an_export_of_some_columns_as_a_workbook(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "carla@demo.example")
    count(page, f"{eu_orders(portal):,} orders")
    page.get_by_role("button", name="Export as").click()
    page.get_by_text("One row per item").click()
    page.get_by_text("Excel", exact=True).click()
    link = page.get_by_role("button", name="Download", exact=True)
    # Both choices have arrived: a run that is still to come would close the list of columns.
    expect(link).to_have_attribute("href", re.compile(r"\.xlsx\?rows=item"), timeout=15_000)
    settle(page)
    page.get_by_label("Columns", exact=True).click()
    page.keyboard.type("Product")  # only the options that are in view exist
    page.get_by_role("option", name="Product", exact=True).click()
    page.keyboard.press("Tab")  # closes the list, which hides all else from whoever finds by role
    expect(link).to_have_attribute("href", re.compile("column=Product"), timeout=15_000)
    settle(page)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("order-items_")
    book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
    assert [cell.value for cell in next(book["Items"].iter_rows())] == ["Product"]
    items = rows(
        portal,
        "SELECT count(*) FROM order_item JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu'",
    )
    assert book["Items"].max_row == items[0][0] + 1


def test_without_a_session_routes_give_nothing_away(page: Page, portal: Portal) -> None:
    [(document,)] = rows(portal, "SELECT min(id) FROM order_document")
    assert page.request.get(f"{portal.url}/documents/{document}").status in (401, 403, 404)
    assert page.request.get(f"{portal.url}/export/AAAAAAAAAAAAAAAA.csv").status in (401, 403, 404)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["wide", "phone"])
def test_the_page_does_not_scroll_sideways(page: Page, portal: Portal, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    sign_in(page, portal, "anna@demo.example")
    [(name,)] = rows(
        portal,
        "SELECT order_name FROM orders JOIN checkout_page p ON p.id = checkout_page_id "
        "WHERE p.name = 'demo-eu' LIMIT 1",
    )
    find(page, Order_IDs=name)
    count(page, "1 order")
    expect(page.get_by_text("Order History", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def order_with(portal: Portal, condition: str) -> tuple[Any, ...]:
    [order_id] = rows(
        portal,
        "SELECT o.order_id, o.order_name FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
        f"WHERE p.name = 'demo-eu' AND {condition} ORDER BY o.order_id LIMIT 1",
    )
    return order_id


def test_a_document_downloads_and_is_recorded(page: Page, portal: Portal) -> None:
    order_id, name = order_with(
        portal, "EXISTS (SELECT FROM order_document d WHERE d.order_id = o.order_id AND d.kind = 'refund')"
    )
    sign_in(page, portal, "anna@demo.example")
    find(page, Order_IDs=name)
    count(page, "1 order")
    with page.expect_download() as download:
        page.get_by_role("link", name=f"credit-note-{name}.pdf").first.click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    statement = "SELECT account_email FROM audit_log WHERE action = 'document download' AND order_id = %s"
    assert rows(portal, statement, order_id) == [("anna@demo.example",)]


def test_an_order_in_the_history_opens_that_order(page: Page, portal: Portal) -> None:
    _, name = order_with(
        portal, "EXISTS (SELECT FROM order_relation r WHERE r.order_id = o.order_id AND r.relation = 'typo')"
    )
    sign_in(page, portal, "anna@demo.example")
    find(page, Order_IDs=name)
    count(page, "1 order")
    link = page.locator(".es-history a").first
    other = link.inner_text()
    assert other != name
    link.click()
    expect(page.locator(".es-order-name")).to_contain_text(other, timeout=15_000)


def test_the_customers_page_needs_no_sign_in_and_runs_nothing(page: Page, portal: Portal) -> None:
    [(key, name, code)] = rows(
        portal,
        "SELECT o.page_key::text, o.order_name, c.code FROM orders o JOIN activation_code c USING (order_id) "
        "WHERE o.status = 'paid' AND NOT c.deleted AND NOT o.customer_erased LIMIT 1",
    )
    page.goto(f"/o/{key}")
    expect(page.get_by_role("heading", name=f"Order {name}")).to_be_visible()
    expect(page.get_by_text(code)).to_be_visible()
    assert page.evaluate("document.scripts.length") == 0
    assert page.context.cookies() == []


def test_hostile_values_are_shown_and_do_nothing(page: Page, portal: Portal) -> None:
    hostile = "<img src=x onerror=\"document.title='run'\">![x](http://evil.example/x.png)"
    order_id, name = order_with(portal, "o.status = 'paid' AND NOT o.customer_erased")
    for statement in (
        "UPDATE orders SET first_name = %s, company_name = %s WHERE order_id = %s",
        "UPDATE order_item SET name = %s, license_first_name = %s WHERE order_id = %s",
    ):
        portal.execute(statement, hostile, hostile, order_id)
    sign_in(page, portal, "anna@demo.example")
    find(page, Order_IDs=name)
    count(page, "1 order")
    expect(page.get_by_text(hostile).first).to_be_visible()
    open_more(page)
    find(page, First_Name=hostile)
    count(page, "1 order")
    page.wait_for_timeout(500)
    assert page.title() != "run"
    assert page.locator("img[src*='evil'], img[src='x']").count() == 0
