"""Many orders at once in Chromium: ticking and opening, the preview, a run, its results in another tab."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support import button, dialog, said
from tests.browser.table import box_of, click_row, middle_of_row, table_in
from tests.support.chromium import settle
from tests.support.portal import Portal, add_account
from tests.support.signing_in import put_session

TICK = 16
HEADER = 18


@pytest.fixture(scope="module")
def olga(portal: Portal) -> str:
    """A specialist with a store of her own: 70 orders, 12 of them of an outage, one of these not paid."""
    portal.execute("INSERT INTO checkout_page (name) VALUES ('outage')")
    portal.execute(
        "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total, "
        "email, company_name) SELECT 800000000 + n, p.id, 'O' || n, CASE WHEN n = 3 THEN 'not paid' ELSE 'paid' END, "
        "now() - n * interval '1 minute', CASE WHEN n <> 3 THEN now() END, 'EUR', 10, 'c' || n || '@example.com', "
        "CASE WHEN n <= 12 THEN 'Outage Ltd' END "
        "FROM checkout_page p, generate_series(1, 70) n WHERE p.name = 'outage'"
    )
    email = add_account(portal, "olga")
    portal.execute(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name = 'outage'",
        email,
    )
    return email


def open_orders(page: Page, portal: Portal, email: str, count: str) -> None:
    put_session(page, portal, email)
    page.goto("/")
    expect(page.locator(".es-count")).to_have_text(count, timeout=20_000)
    settle(page)


def tick(page: Page, number: int) -> None:
    """Tick a row, counted from the topmost visible one, which is 0."""
    box = box_of(table_in(page))
    page.mouse.click(box["x"] + TICK, middle_of_row(box, number))


def tick_all(page: Page) -> None:
    """Tick all rows of the page, in the header."""
    box = box_of(table_in(page))
    page.mouse.click(box["x"] + TICK, box["y"] + HEADER)


def expect_ticked(page: Page, number: int) -> None:
    expect(page.locator(".es-ticked")).to_have_text(f"{number} ticked", timeout=15_000)


def act(page: Page, label: str) -> None:
    button(page, "Actions").click()
    page.get_by_role("option", name=label, exact=True).or_(
        page.get_by_role("menuitem", name=label, exact=True)
    ).or_(page.get_by_text(label, exact=True)).first.click()
    expect(dialog(page)).to_be_visible(timeout=15_000)


def test_ticks_stay_while_orders_are_opened_and_pages_turned(page: Page, portal: Portal, olga: str) -> None:
    open_orders(page, portal, olga, "70 orders")
    for number in (0, 2):
        tick(page, number)
    expect_ticked(page, 2)
    click_row(page, 1)
    expect(page.locator(".es-order-name")).to_contain_text("O2", timeout=15_000)
    expect_ticked(page, 2)
    page.get_by_role("button", name="Close order").click()
    expect(page.locator(".es-order-name")).to_have_count(0, timeout=15_000)
    expect_ticked(page, 2)
    button(page, "Older").click()
    expect(button(page, "Newer")).to_be_visible(timeout=15_000)
    settle(page)
    tick(page, 0)
    expect_ticked(page, 3)
    button(page, "Newer").click()
    expect(button(page, "Older")).to_be_visible(timeout=15_000)
    settle(page)
    tick(page, 2)  # takes its tick away
    expect_ticked(page, 2)
    button(page, "Take all 70 orders of this search").click()
    expect_ticked(page, 70)
    act(page, "Add a note")
    dialog(page).get_by_label("Internal note").fill("Seen")
    button(dialog(page), "Add notes: 70 orders").click()
    expect(dialog(page).get_by_role("alert")).to_have_text(
        "Please type the number of orders that will be changed: 70.", timeout=15_000
    )
    dialog(page).get_by_label("Type 70 to confirm").fill("70")
    button(dialog(page), "Add notes: 70 orders").click()
    said(page, "Started for 70 orders.")
    expect(page.locator("[class*='st-key-bulk_line_']").first).to_contain_text("70 done", timeout=30_000)


def test_refunds_of_an_outage_in_four_clicks(page: Page, portal: Portal, olga: str, tmp_path: Path) -> None:
    open_orders(page, portal, olga, "70 orders")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Company").fill("Outage Ltd")
    page.get_by_label("Company").press("Enter")
    expect(page.locator(".es-count")).to_have_text("12 orders", timeout=15_000)
    settle(page)
    tick_all(page)  # 1
    expect_ticked(page, 12)
    act(page, "Request refunds")  # 2 and 3
    expect(dialog(page)).to_contain_text("For 11 orders, a refund will be requested. Together EUR 110.00.")
    expect(dialog(page)).to_contain_text("1 order cannot, and stays as it is:")
    expect(dialog(page)).to_contain_text("1 Only a Paid order can be refunded.")
    dialog(page).get_by_label("Refund reason").fill("Outage of the licence server")
    button(dialog(page), "Request refunds: 11 orders").dblclick()  # 4
    said(page, "Started for 11 orders.")
    line = page.locator("[class*='st-key-bulk_line_']")
    expect(line).to_contain_text("11 done, 1 not possible", timeout=20_000)
    [[requests]] = portal.execute(
        "SELECT count(*) FROM refund_request r JOIN orders o USING (order_id) WHERE o.company_name = 'Outage Ltd' "
        "AND r.reason = 'Outage of the licence server'"
    )
    assert requests == 11
    expect(page.locator(".es-ticked")).to_have_count(0)

    # Another tab, later: the run and its results are there.
    other = page.context.new_page()
    open_orders(other, portal, olga, "70 orders")
    expect(other.locator("[class*='st-key-bulk_line_']")).to_have_count(0)
    button(other, "Runs").click()
    button(dialog(other), "Results").first.click()
    with other.expect_download() as download:
        dialog(other).get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "results.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text("utf-8-sig"))))
    assert (rows[0]["Order"], rows[0]["Result"]) == ("O3", "refused")
    assert len(rows) == 12 and {row["Result"] for row in rows[1:]} == {"done"}
    other.close()


def test_analysts_open_rows_and_tick_none(page: Page, portal: Portal) -> None:
    put_session(page, portal, "carla@demo.example")
    page.goto("/")
    expect(page.locator(".es-count")).to_be_visible(timeout=20_000)
    settle(page)
    click_row(page)
    expect(page.locator(".es-order-name")).to_be_visible(timeout=15_000)
    expect(button(page, "Runs")).to_have_count(0)
