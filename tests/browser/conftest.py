"""One real server over one demo database for all browser tests, and Chromium in front of it.

Tests must leave the demo accounts as they are, since all of them share the server: whoever locks, disables or
changes an account makes one of their own with `add_account`.
"""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from db.connections.roles import libpq_url
from pages.web.browser_cookies import SESSION, name_in
from services.authentication.passwords import hash_password
from tests.conftest import create_database, drop_database
from tests.support.mail_server import MailServer, mail_server
from tests.support.ports import free_port

PROJECT = Path(__file__).resolve().parent.parent.parent
FAILURES = Path(__file__).parent / "failures"
PASSWORD = "demo-Portal-1"
# The session's, without TLS and with it.
SESSION_COOKIES = (name_in(SESSION, False), name_in(SESSION, True))
VIEWPORT = {"width": 1440, "height": 900}
# Below a page's own address Streamlit first asks for these one level too deep, and then where they are.
_PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")


@dataclass(frozen=True, slots=True)
class Portal:
    """A running portal: its address, the owner's address of its database, and what its web server wrote."""

    url: str
    database_url: str
    log: Path

    def execute(self, statement: str, *values: object) -> list[tuple]:
        """Runs one statement as the owner and returns its rows, if any."""
        with psycopg.connect(libpq_url(self.database_url)) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser beside a database and a web server on two busy cores misses a deadline now and then: such a test is run
    again, twice at most, and the summary says so. Everything that is not a browser test has one try."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def mailbox() -> Iterator[MailServer]:
    """What the portal's mails arrive at."""
    with mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def portal(
    server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory, mailbox: MailServer
) -> Iterator[Portal]:
    name = f"esupport_browser_{uuid.uuid4().hex[:8]}"
    database_url = create_database(server_url, name, template_database)
    port = free_port()
    environment = os.environ | {"DATABASE_URL": database_url, "PORT": str(port), "SMTP_URL": mailbox.url}
    environment.pop("ESUPPORT_APP_DATABASE_URL", None)
    subprocess.run(
        [sys.executable, "-m", "db", "demo"], cwd=PROJECT, env=environment, check=True, timeout=300
    )
    worker = subprocess.Popen([sys.executable, "-m", "services.mail"], cwd=PROJECT, env=environment)
    try:
        log = tmp_path_factory.mktemp("portal") / "server.log"
        with serving(environment, log) as url:
            yield Portal(url, database_url, log)
    finally:
        end(worker)
        drop_database(server_url, name)


@pytest.fixture(autouse=True)
def rested(request: pytest.FixtureRequest) -> None:
    """All tests come from one network: what the last one got wrong makes the next one wait for nothing."""
    if "portal" in request.fixturenames:
        request.getfixturevalue("portal").execute("DELETE FROM sign_in_attempt")


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    """A web server at the environment's port, for the block; its address."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                "pages/web/server.py",
                "--server.port",
                environment["PORT"],
            ],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://localhost:{environment['PORT']}/health", server, log)
        yield f"http://localhost:{environment['PORT']}"
    finally:
        end(server)


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def context(portal: Portal, browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own (no cookies yet); relative addresses are the portal's."""
    context = browser.new_context(viewport=VIEWPORT, base_url=portal.url, timezone_id="Europe/Berlin")
    yield context
    context.close()


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
    report = outcome.get_result()
    if report.when == "call":
        item.failed = report.failed


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


def add_account(
    portal: Portal, name: str, *, role: str = "specialist", must_change_password: bool = False
) -> str:
    """A new account of the team's first store, with the demo accounts' password; returns its email."""
    email = f"{name}-{uuid.uuid4().hex[:8]}@test.example"
    portal.execute(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) VALUES (%s, %s, %s, %s, %s)",
        email,
        name,
        role,
        hash_password(PASSWORD),
        must_change_password,
    )
    return email


def submit(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fills the sign-in form and presses its button."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Signs in, at the address that the tab shows or the first page, and waits until it would survive F5."""
    if page.url == "about:blank":
        page.goto("/")
    submit(page, email, password)
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0, timeout=20_000)
    stays_signed_in(page)


def stays_signed_in(page: Page) -> None:
    """Waits until the browser holds the session's cookie."""
    deadline = time.monotonic() + 20
    while not any(cookie["name"] in SESSION_COOKIES for cookie in page.context.cookies()):
        assert time.monotonic() < deadline, "The browser got no cookie."
        page.wait_for_timeout(50)
    settle(page)


def settle(page: Page) -> None:
    """Waits until the page's script has ended: until then a run that was broken off may stand beside the new one."""
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=20_000
    )


def wait_for(address: str, server: subprocess.Popen, log: Path | None = None) -> None:
    """Waits until a server that was just started answers; fails with its log when it ends or takes a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace') if log else ''}")
