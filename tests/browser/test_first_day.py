"""The first day: from an empty database to a specialist's first search, by what the screen and the README say."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support import button, dialog, said
from tests.browser.table import click_row
from tests.browser.test_administration import section
from tests.support import factories
from tests.support.chromium import VIEWPORT, settle
from tests.support.databases import create_database, drop_database
from tests.support.portal import PROJECT
from tests.support.ports import free_port
from tests.support.signing_in import stays_signed_in, submit

ADMIN_PASSWORD, OLGA_PASSWORD = "the boss of it all 1", "olga looks for orders"


@pytest.fixture
def environment(server_url: str, template_database: str) -> Iterator[dict[str, str]]:
    """A server's database without anything in it."""
    name = f"esupport_first_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name, template_database)
    made = os.environ | {"DATABASE_URL": url, "PORT": str(free_port())}
    for inherited in ("SMTP_URL", "ESUPPORT_APP_DATABASE_URL"):
        made.pop(inherited, None)
    yield made
    drop_database(server_url, name)


@pytest.fixture
def printed(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """What `make run` prints once the portal is up; it is stopped afterwards."""
    log = tmp_path / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.portal"],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 90
        while "one-time password" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield log.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def set_password(page: Page, password: str) -> None:
    expect(page.get_by_label("New password", exact=True)).to_be_visible(timeout=20_000)
    stays_signed_in(page)
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password again").fill(password)
    button(page, "Set password").click()
    expect(page.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
    settle(page)


def import_orders(documents: Path, environment: dict[str, str]) -> None:
    documents.write_text("\n".join(json.dumps(factories.document(order_id=n)) for n in (101, 102)) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "db", "import", str(documents)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "2 inserted, 0 updated, 0 unchanged", done.stderr


def make_team(page: Page) -> None:
    section(page, "Teams")
    button(page, "New team").click()
    dialog(page).get_by_label("Name", exact=True).fill("Support")
    dialog(page).get_by_label("Checkout pages", exact=True).click()
    page.get_by_role("option", name="shop-a").click()
    dialog(page).get_by_label("Name", exact=True).click()
    button(dialog(page), "Create team").click()
    said(page, "Support")


def test_from_nothing_to_the_first_search(
    printed: str, environment: dict[str, str], browser: Browser, tmp_path: Path
) -> None:
    url = f"http://localhost:{environment['PORT']}"
    assert url in printed
    [first] = re.findall(r"admin@localhost +one-time password: (\S+)", printed)
    page = browser.new_context(viewport=VIEWPORT, base_url=url).new_page()
    page.goto("/")
    submit(page, "admin@localhost", first)
    set_password(page, ADMIN_PASSWORD)
    # Nothing there yet, and the screen says so.
    expect(page.get_by_text("There are no orders").first).to_be_visible(timeout=15_000)
    assert page.get_by_text("Demo accounts are active").count() == 0

    # Orders come in as the README says.
    import_orders(tmp_path / "orders.jsonl", environment)

    make_team(page)
    section(page, "Accounts")
    button(page, "New account").click()
    dialog(page).get_by_label("E-mail").fill("olga@shop.example")
    dialog(page).get_by_label("Name", exact=True).fill("Olga")
    dialog(page).get_by_label("Teams", exact=True).click()
    page.get_by_role("option", name="Support").click()
    dialog(page).get_by_label("Name", exact=True).click()
    button(dialog(page), "Create account").click()
    said(page, "was created")

    # No mail server is set: the one-time password is in the mail log.
    section(page, "Mail log")
    click_row(page)
    expect(page.get_by_text(re.compile("One-time password:"))).to_be_visible(timeout=15_000)
    match = re.search(r"One-time password: (\S+)", page.locator("body").inner_text())
    assert match

    olga = browser.new_context(viewport=VIEWPORT, base_url=url).new_page()
    olga.goto("/")
    submit(olga, "olga@shop.example", match[1])
    set_password(olga, OLGA_PASSWORD)
    expect(olga.locator(".es-count")).to_have_text("2 orders", timeout=20_000)
    olga.get_by_label("Order IDs").fill("A0000000102")
    button(olga, "Find").or_(olga.get_by_role("button", name=re.compile("^Find"))).first.click()
    expect(olga.locator(".es-order-name")).to_contain_text("A0000000102", timeout=20_000)
    for tab in (page, olga):
        tab.context.close()
