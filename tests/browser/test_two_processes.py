"""Two portal processes over one database: what ends a session ends it at both."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.portal import Portal, add_account, serving
from tests.support.ports import free_port
from tests.support.signing_in import sign_in

ENDINGS = {
    "disabled": "UPDATE account SET disabled_at = now() WHERE email = %s",
    "ended": "UPDATE account_session SET ended_at = now(), ended_because = 'ended' WHERE account_id = "
    "(SELECT id FROM account WHERE email = %s)",
}


@pytest.fixture(scope="module")
def second(portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a second process of the same portal."""
    environment = os.environ | {"DATABASE_URL": portal.database_url, "PORT": str(free_port())}
    environment.pop("ESUPPORT_APP_DATABASE_URL", None)
    log: Path = tmp_path_factory.mktemp("second") / "server.log"
    with serving(environment, log) as url:
        yield url


@pytest.mark.parametrize("how", ENDINGS)
def test_a_copied_cookie_is_good_at_both_and_then_at_neither(
    how: str, page: Page, portal: Portal, second: str, browser: Browser
) -> None:
    email = add_account(portal, "copied")
    sign_in(page, portal, email)
    # Cookies belong to a host, whatever the port: a context with the same ones is a copy.
    copy = browser.new_context(storage_state=page.context.storage_state()).new_page()
    try:
        copy.goto(f"{second}/profile")
        expect(copy.get_by_role("heading", name="Profile")).to_be_visible(timeout=20_000)
        portal.execute(ENDINGS[how], email)
        for where in (copy, page):
            where.reload()
            expect(where.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
        copy.goto(f"{second}/profile")
        expect(copy.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
    finally:
        copy.context.close()
