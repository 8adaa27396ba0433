"""Exports in Chromium: how far they are, cancelling, what a broken-off download is, and who sees nothing of it."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Download, Locator, Page, WebSocket, expect

from tests.support.chromium import settle
from tests.support.portal import Portal, add_account
from tests.support.reruns import may_rerun
from tests.support.signing_in import put_session
from tests.support.slow_client import SlowLine, slow_line

ORDERS = 60_000


@pytest.fixture(scope="module")
def carmen(portal: Portal) -> str:
    """An analyst with a large store of her own; her email."""
    portal.execute("INSERT INTO checkout_page (name) VALUES ('exports')")
    portal.execute(
        "INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total, "
        "first_name, last_name, email, phone, company_name, country) "
        "SELECT 700000000 + n, p.id, 'X' || n, 'paid', now() - n * interval '1 minute', now(), 'EUR', n, "
        "'First ' || n, 'Last ' || n, 'customer' || n || '@example.com', '+49301' || n, repeat('Company ', 12), 'DE' "
        "FROM checkout_page p, generate_series(1, %s) n WHERE p.name = 'exports'",
        ORDERS,
    )
    portal.execute("ANALYZE orders")
    email = add_account(portal, "carmen", role="analyst")
    portal.execute(
        "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name = 'exports'",
        email,
    )
    return email


@pytest.fixture
def line(portal: Portal) -> Iterator[SlowLine]:
    port = urlsplit(portal.url).port
    assert port is not None
    with slow_line(port, "/export/") as line:
        yield line


def open_orders(page: Page, portal: Portal, email: str, url: str = "/") -> None:
    put_session(page, portal, email)
    page.goto(url)
    expect(page.locator(".es-count")).to_have_text(["10,000+ orders"], timeout=20_000)


def begin(page: Page) -> Download:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    return download.value


def shown(page: Page) -> Locator:
    return page.locator("[class*='st-key-export_line_']")


def states(portal: Portal, email: str) -> list[tuple[Any, ...]]:
    return portal.execute(
        "SELECT state, rows_sent FROM export_run JOIN account a ON a.id = account_id "
        "WHERE a.email = %s ORDER BY started_at",
        email,
    )


def until(asked: Callable[[], bool], page: Page) -> None:
    deadline = time.monotonic() + 20
    while not asked():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def test_a_line_shows_how_far_it_is_and_that_it_is_whole(
    page: Page, portal: Portal, carmen: str, line: SlowLine
) -> None:
    open_orders(page, portal, carmen, line.url)
    expect(shown(page)).to_have_count(0)
    line.rate = 1_000_000
    download = begin(page)
    expect(shown(page)).to_contain_text("of about", timeout=10_000)
    expect(shown(page)).to_contain_text(" MB")
    expect(page.get_by_role("progressbar", name="Progress of the export")).to_be_visible()
    other = page.context.new_page()
    other.goto(line.url)
    expect(other.locator(".es-count")).to_have_text(["10,000+ orders"], timeout=20_000)
    expect(shown(other)).to_have_count(0)
    other.close()
    line.rate = None
    expect(page.get_by_text(f"Exported {ORDERS:,} orders")).to_be_visible(timeout=30_000)
    assert download.failure() is None
    assert download.path().read_bytes().count(b"\n") == ORDERS + 1
    assert states(portal, carmen)[-1] == ("done", ORDERS)


def test_a_cancelled_export_is_a_failed_download(
    page: Page, portal: Portal, carmen: str, line: SlowLine
) -> None:
    open_orders(page, portal, carmen, line.url)
    line.rate = 300_000
    download = begin(page)
    button = page.get_by_role("button", name="Cancel export")
    expect(button).to_be_enabled(timeout=15_000)
    button.click()
    expect(page.get_by_text("The export was cancelled; the file is not whole.")).to_be_visible(timeout=20_000)
    expect(button).to_have_count(0)
    line.rate = None
    assert download.failure()
    state, rows = states(portal, carmen)[-1]
    assert state == "cancelled" and rows < ORDERS


def test_nothing_is_asked_for_when_no_export_runs(page: Page, portal: Portal, carmen: str) -> None:
    asked: list[object] = []

    def opened(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: asked.append(frame))

    page.on("websocket", opened)
    open_orders(page, portal, carmen)
    download = begin(page)
    assert download.failure() is None
    expect(page.get_by_text(f"Exported {ORDERS:,} orders")).to_be_visible(timeout=30_000)
    settle(page)
    before = len(asked)
    page.wait_for_timeout(3_000)  # three times as long as the line waits between two looks
    assert len(asked) == before


def test_a_browser_that_goes_away_cancels_it(page: Page, portal: Portal, carmen: str, line: SlowLine) -> None:
    open_orders(page, portal, carmen, line.url)
    line.rate = 300_000
    begin(page).cancel()
    until(lambda: states(portal, carmen)[-1][0] == "cancelled", page)
    expect(page.get_by_text("The export was cancelled; the file is not whole.")).to_be_visible(timeout=20_000)


def test_an_account_that_is_disabled_is_sent_no_more(
    page: Page, portal: Portal, carmen: str, line: SlowLine
) -> None:
    open_orders(page, portal, carmen, line.url)
    line.rate = 300_000
    download = begin(page)
    until(lambda: states(portal, carmen)[-1][1] > 0, page)
    try:
        portal.execute("UPDATE account SET disabled_at = now() WHERE email = %s", carmen)
        line.rate = 2_000_000  # what is under way takes seconds otherwise; the rest would still take longer than a look
        assert download.failure()
    finally:
        portal.execute("UPDATE account SET disabled_at = NULL WHERE email = %s", carmen)
    assert states(portal, carmen)[-1][1] < ORDERS


@may_rerun("the workbook may be whole before the click that cancels it")
def test_a_workbook_shows_its_rows_before_the_first_byte_and_can_be_cancelled(
    page: Page, portal: Portal, carmen: str
) -> None:
    open_orders(page, portal, carmen)
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    page.get_by_role("button", name="Export as").click()
    page.get_by_text("Excel", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Download", exact=True).click()
    expect(shown(page)).to_contain_text("the workbook is being written", timeout=20_000)
    assert downloads == []
    page.get_by_role("button", name="Cancel export").click()
    expect(page.get_by_text("The export was cancelled; the file is not whole.")).to_be_visible(timeout=30_000)
    assert states(portal, carmen)[-1][0] == "cancelled"
    assert [download for download in downloads if not download.failure()] == []


def test_the_shortcut_on_the_button_exports(page: Page, portal: Portal, carmen: str) -> None:
    open_orders(page, portal, carmen)
    expect(page.get_by_role("button", name="Export CSV", exact=True)).to_contain_text("Ctrl + Shift + E")
    with page.expect_download() as download:
        page.keyboard.press("Control+Shift+E")
    assert download.value.failure() is None
    assert download.value.suggested_filename.startswith("orders_")
