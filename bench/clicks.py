"""Time from a click until its result is on the screen, in Chromium, in turn with a plain page of the same size.

The plain page (`bench/plain_page.py`) has the same widgets and no database. Needs what `make test` installs.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import text

from bench.portal import cookies, served
from bench.results import Row, p95, yes
from db.connections import engine
from pages.components.orders.view import order_html
from pages.web.browser_cookies import SESSION
from services.access import get_viewer
from services.orders.detail import get_order

_BROWSERS = ("chromium", "google-chrome", "chromium-headless-shell")
_TARGET = 1.5
_MOST_ROUNDS = 21
_IDS = 70  # more than a page of rows: 97 of 100 orders are in the stores of the account
_ROW = (60, 36 + 34 * 2 + 17)  # in the third row of the table
_PATIENCE = 30
_TABLE = "document.querySelector('[data-testid=stDataFrame] canvas:not([data-old])')?.width"
_ORDER = "document.querySelector('.es-history')"
_TOAST = "[data-testid=stToast]"
_CONFIRMED = f"document.querySelector('{_TOAST}, .es-done')"
# Times are taken inside the page, since Playwright's own waiting would blur them: from the press until the frame after
# the one in which the result was drawn.
_WATCH = """(() => {
    window.seen = window.pressed = 0;
    document.querySelectorAll('canvas').forEach(canvas => canvas.dataset.old = '1');
    const press = () => { window.pressed = performance.now(); };
    document.addEventListener('pointerdown', press, {once: true, capture: true});
    new MutationObserver((_, observer) => {
        if (!window.pressed || !(%s)) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => { window.seen = performance.now(); }));
    }).observe(document.body, {childList: true, subtree: true, attributes: true});
})()"""


@dataclass
class _Side:
    """One of the two pages, with its times in milliseconds by kind of click."""

    page: Page
    times: dict[str, list[float]]

    def timed(self, what: str, press: Callable[[], None], shown: str) -> None:
        self.page.evaluate(_WATCH % shown)
        press()
        until(self.page, "window.seen", what)
        self.times.setdefault(what, []).append(float(self.page.evaluate("window.seen - window.pressed")))
        settled(self.page)


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row per kind of click. Raises `AssertionError` when no result arrives, or one without rows."""
    ids = _id_lists()
    with _plain_order(account_id) as file, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, _BROWSERS)), None),
            args=["--headless", "--no-sandbox", "--disable-gpu"],
        )
        with served() as portal, served("bench/plain_page.py", PLAIN_ORDER=str(file)) as plain:
            ours = _opened(browser, portal.url, cookies(1)[0])
            theirs = _opened(browser, plain.url, None)
            for number in range(min(rounds, _MOST_ROUNDS) + 1):  # the first round loads what stays loaded
                for side in (theirs, ours):
                    _round(side, ids[number % len(ids)], number)
                    if number == 0:
                        side.times.clear()
        browser.close()
    return [_row(what, ours.times[what], theirs.times[what]) for what in ours.times]


def _row(what: str, ours: list[float], theirs: list[float]) -> Row:
    ratio = statistics.median(ours) / statistics.median(theirs)
    return {
        "click": what,
        "ms": statistics.median(ours),
        "p95": p95(ours),
        "plain page, ms": statistics.median(theirs),
        "plain p95": p95(theirs),
        "ratio": ratio,
        "target met": yes(ratio <= _TARGET),
    }


def _round(side: _Side, ids: str, number: int) -> None:
    """Search, open an order of the result, add a note to it."""
    page = side.page
    page.bring_to_front()
    page.get_by_label("Order IDs").fill(ids)
    find = page.get_by_role("button", name="Find").first
    side.timed("Find, until the rows are there", find.click, _TABLE)
    count = page.locator(".es-count").inner_text()
    assert int(count.split()[0].replace(",", "")) >= 50, f"The search found {count}."
    side.timed("a row, until the order is there", lambda: _press_row(page), _ORDER)
    page.get_by_role("button", name="Add note", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("textarea").fill(f"note {number}")
    button = dialog.get_by_role("button", name="Save note", exact=True)
    button.wait_for()
    settled(page)
    side.timed("Save note, until it is said", button.click, _CONFIRMED)
    page.evaluate(f"document.querySelectorAll('{_TOAST} button').forEach(button => button.click())")
    until(page, f"!({_CONFIRMED})", "the end of the toast")


def _press_row(page: Page) -> None:
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + _ROW[0], box["y"] + _ROW[1])


def _opened(browser: Browser, url: str, cookie: str | None) -> _Side:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    if cookie:
        context.add_cookies([{"name": SESSION, "value": cookie, "url": url}])
    page = context.new_page()
    page.goto(url)
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    settled(page)
    return _Side(page, {})


def settled(page: Page) -> None:
    """Wait until the page's script has ended."""
    until(
        page,
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'",
        "the end of the script",
    )


def until(page: Page, condition: str, what: str) -> None:
    """Poll until the condition holds, at most 30 seconds; raises `AssertionError` after that.

    Polling, because the portal's content security policy forbids the evaluation that Playwright's waiting uses.
    """
    deadline = time.monotonic() + _PATIENCE
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < deadline, f"No result within {_PATIENCE} seconds: {what}."
        page.wait_for_timeout(25)


def _id_lists() -> list[str]:
    """Lists of order IDs; a search for any of them finds more than fifty orders."""
    with engine.owner_engine().connect() as connection:
        last = int(connection.execute(text("SELECT max(order_id) FROM orders")).scalar_one())
    starts = [last * part // 12 for part in range(1, 12)]
    return [" ".join(str(start + number) for number in range(_IDS)) for start in starts]


@contextmanager
def _plain_order(account_id: int) -> Iterator[Path]:
    """A file with the HTML of one of the portal's orders."""
    with engine.viewer_transaction(account_id) as connection:
        viewer = get_viewer(connection, account_id)
        first_match = text(
            "SELECT order_id FROM orders WHERE delivered AND active_subscription ORDER BY order_id LIMIT 1"
        )
        order = get_order(connection, viewer, connection.execute(first_match).scalar_one())
    html = order_html(
        order, zone=ZoneInfo("UTC"), customer_page_url="/o/x", order_link=lambda number: f"/?order={number}"
    )
    file, name = tempfile.mkstemp(suffix=".html")
    os.write(file, html.encode())
    os.close(file)
    try:
        yield Path(name)
    finally:
        Path(name).unlink()
