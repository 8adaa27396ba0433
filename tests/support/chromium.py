"""The browser of all tests that need one (a second one could not be driven from the same thread), and its tabs."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    WebSocket,
    expect,
    sync_playwright,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.portal import Portal

FAILURES = Path(__file__).resolve().parent.parent / "browser" / "failures"
VIEWPORT: ViewportSize = {"width": 1440, "height": 900}
_SOCKETS: WeakKeyDictionary[Page, WebSocket] = WeakKeyDictionary()
# Below a page's own address Streamlit first asks for these one level too deep, and then where they are.
_PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")
_CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page lives for seconds here: what the optimising compilers cost, its scripts never earn back.
    "--js-flags=--no-opt --no-maglev",
]


def _chromium() -> str | None:
    """The system's, best the one without windows, which costs a quarter; None means the one that Playwright fetched."""
    names = (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_context(portal: Portal, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=VIEWPORT, base_url=portal.url, timezone_id="Europe/Berlin")
    yield context
    context.close()


@pytest.fixture
def context(portal: Portal, shared_context: BrowserContext) -> Iterator[BrowserContext]:
    """A browser with no cookie and nothing stored; relative addresses are the portal's.

    Only what it has fetched and compiled of Streamlit's own scripts stays from test to test: that costs more than most
    of what the tests do.
    """
    yield shared_context
    sweeper = shared_context.new_page()
    shared_context.new_cdp_session(sweeper).send(
        "Storage.clearDataForOrigin",
        {"origin": portal.url, "storageTypes": "local_storage,indexeddb,service_workers"},
    )
    for tab in shared_context.pages:
        tab.close()
    shared_context.clear_cookies()
    shared_context.clear_permissions()


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab that fails its test when the page reports an error or asks for anything outside this machine."""
    complaints: list[str] = []
    page = context.new_page()
    watch(page, complaints)
    yield page
    if getattr(request.node, "failed", False):
        FAILURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w.-]+", "_", request.node.name)
        page.screenshot(path=FAILURES / f"{name}.png")
    assert complaints == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # a hook wrapper is sent its outcome
    if report.when == "call":
        setattr(item, "failed", report.failed)  # noqa: B010 - a mark of ours on pytest's item


def watch(page: Page, complaints: list[str]) -> None:
    """Collects what a good page never does: errors on the console, and requests that leave this machine."""

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not _PROBES.search(urlsplit(message.location.get("url", "")).path):
            complaints.append(f"console: {message.text}")

    def asked(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in (
            "localhost",
            "127.0.0.1",
        ):
            complaints.append(f"request: {address}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("request", lambda request: asked(request.url))
    note_socket(page)


def note_socket(page: Page) -> None:
    """Remember the connection of each load of the page, for `whole_run`."""
    page.on("websocket", partial(_SOCKETS.__setitem__, page))


@contextmanager
def whole_run(page: Page) -> Iterator[None]:
    """Wait until a run of the page's script ends that what is done here causes.

    The end is read off the connection: a run may be too short for the page to show that it runs.
    """
    with _SOCKETS[page].expect_event("framereceived", _ends_a_run, timeout=20_000):
        yield
    settle(page)


def _ends_a_run(frame: bytes | str) -> bool:
    message = ForwardMsg()
    message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
    return message.WhichOneof("type") == "script_finished"


def settle(page: Page) -> None:
    """Waits until the page's script has ended: until then a run that was broken off may stand beside the new one."""
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=20_000
    )
