"""Single sign-on in Chromium, against an OpenID Connect provider in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.support import button
from tests.support.chromium import VIEWPORT, settle
from tests.support.portal import Portal, add_account, end, serving, wait_for
from tests.support.ports import free_port
from tests.support.signing_in import stays_signed_in

BUTTON = "Sign in with the house key"


@pytest.fixture(scope="module")
def people(portal: Portal) -> dict[str, str]:
    """Who the provider knows, by what is special about them; the e-mail of each."""
    emails = {name: add_account(portal, name) for name in ("known", "unverified", "disabled", "two-factors")}
    portal.execute("UPDATE account SET disabled_at = now() WHERE email = %s", emails["disabled"])
    portal.execute("UPDATE account SET must_change_password = true WHERE email = %s", emails["known"])
    return emails | {"stranger": "stranger@test.example"}


@pytest.fixture(scope="module")
def provider(people: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("provider") / "provider.log"
    claims = [
        {"sub": name, "email": email.upper(), "name": "Somebody", "email_verified": name != "unverified"}
        for name, email in people.items()
    ]
    arguments = [part for claim in claims for part in ("--user-claims", json.dumps(claim))]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process, log)
        yield f"http://localhost:{port}"
    finally:
        end(process)


@contextmanager
def portal_with(portal: Portal, log: Path, **variables: str) -> Iterator[str]:
    port = str(free_port())
    environment = os.environ | {"DATABASE_URL": portal.database_url, "PORT": port} | variables
    environment |= {"OIDC_CLIENT_ID": "esupport", "OIDC_CLIENT_SECRET": "hush", "OIDC_NAME": "the house key"}
    environment.pop("ESUPPORT_APP_DATABASE_URL", None)
    with serving(environment, log) as url:
        yield url


@pytest.fixture(scope="module")
def beside(portal: Portal, provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A portal with passwords and a provider."""
    with portal_with(portal, tmp_path_factory.mktemp("sso") / "log", OIDC_ISSUER=provider) as url:
        yield url


@pytest.fixture
def tab(browser: Browser, beside: str) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEWPORT, base_url=beside, timezone_id="Europe/Berlin")
    yield context.new_page()
    context.close()


def go_through(page: Page, person: str, *, start: str = "/") -> None:
    """Presses the button and signs in at the provider as `person`."""
    page.goto(start)
    button(page, BUTTON).click()
    page.locator("input[name=sub]").fill(person, timeout=20_000)
    page.get_by_role("button", name="Authorize").click()


def cookies_of(context: BrowserContext) -> dict[str, dict[str, Any]]:
    return {cookie["name"]: dict(cookie) for cookie in context.cookies()}


def test_known_by_a_verified_email_is_in_where_the_link_led(
    tab: Page, portal: Portal, people: dict[str, str]
) -> None:
    go_through(tab, "known", start="/profile")
    expect(tab.get_by_role("heading", name="Profile")).to_be_visible(timeout=20_000)
    # No password had to be changed first, though theirs is a one-time one.
    expect(tab.get_by_text(people["known"])).to_be_visible()
    stays_signed_in(tab)
    names = cookies_of(tab.context)
    assert not any(name.startswith("_streamlit_user_tokens") for name in names), "no token of the provider's"
    assert names["_streamlit_user"]["expires"] - time.time() < 130
    assert names["_streamlit_user"]["httpOnly"]
    audit = portal.execute(
        "SELECT details->>'by' FROM audit_log WHERE action = 'sign in' AND account_email = %s ORDER BY id DESC",
        people["known"],
    )
    assert audit[0][0] == "single sign-on"


def test_after_signing_out_the_providers_answer_opens_nothing(
    tab: Page, browser: Browser, beside: str
) -> None:
    go_through(tab, "known")
    expect(tab.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
    stays_signed_in(tab)
    copied = tab.context.cookies()
    tab.goto("/profile")
    tab.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(button(tab, BUTTON)).to_be_visible(timeout=20_000)
    settle(tab)
    tab.reload()
    expect(button(tab, BUTTON)).to_be_visible(timeout=20_000)
    copy = browser.new_context(base_url=beside)
    copy.add_cookies(copied)  # type: ignore[arg-type]  # what one context gives, another takes
    other = copy.new_page()
    other.goto("/")
    expect(button(other, BUTTON)).to_be_visible(timeout=20_000)
    settle(other)
    expect(other.get_by_role("link", name="Profile")).to_have_count(0)
    copy.close()


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ("stranger", "There is no account for you here"),
        ("disabled", "There is no account for you here"),
        ("unverified", "has not confirmed your e-mail address"),
    ],
)
def test_others_are_refused_in_a_sentence(
    tab: Page, portal: Portal, people: dict[str, str], person: str, sentence: str
) -> None:
    accounts = portal.execute("SELECT count(*) FROM account")
    go_through(tab, person)
    expect(tab.get_by_text(sentence)).to_be_visible(timeout=20_000)
    expect(button(tab, BUTTON)).to_be_visible()
    assert "esupport" not in cookies_of(tab.context)
    assert portal.execute("SELECT count(*) FROM account") == accounts, "nobody makes their own account"
    # The same answer again, by F5, is not judged again.
    tab.reload()
    expect(button(tab, BUTTON)).to_be_visible(timeout=20_000)
    settle(tab)
    assert tab.get_by_text(sentence).count() == 0


def test_a_second_factor_of_ours_is_asked_for_as_well(
    tab: Page, portal: Portal, people: dict[str, str]
) -> None:
    portal.execute(
        "UPDATE account SET totp_secret = %s WHERE email = %s",
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        people["two-factors"],
    )
    go_through(tab, "two-factors")
    expect(tab.get_by_label("Code", exact=True)).to_be_visible(timeout=20_000)
    assert "esupport" not in cookies_of(tab.context)
    tab.get_by_label("Code", exact=True).fill(pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").now())
    button(tab, "Sign in").click()
    expect(tab.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)


def test_giving_up_at_the_provider_says_so(tab: Page) -> None:
    tab.goto("/oauth2callback?error=access_denied&state=x")
    expect(tab.get_by_text("The sign-in provider did not answer as it should")).to_be_visible(timeout=20_000)
    expect(button(tab, BUTTON)).to_be_visible()


def test_a_provider_that_is_away_says_so_and_passwords_still_work(
    browser: Browser, portal: Portal, tmp_path: Path
) -> None:
    nobody = f"http://localhost:{free_port()}"
    with portal_with(portal, tmp_path / "log", OIDC_ISSUER=nobody) as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        button(page, BUTTON).click()
        expect(page.get_by_text("The sign-in provider did not answer as it should")).to_be_visible(
            timeout=20_000
        )
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
        page.close()


def test_instead_of_passwords(browser: Browser, portal: Portal, provider: str, tmp_path: Path) -> None:
    with portal_with(portal, tmp_path / "log", OIDC_ISSUER=provider, ESUPPORT_PASSWORDS="0") as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        expect(button(page, BUTTON)).to_be_visible(timeout=20_000)
        expect(page.get_by_label("Password", exact=True)).to_have_count(0)
        expect(button(page, "Forgot password?")).to_have_count(0)
        go_through(page, "known", start="/profile")
        expect(page.get_by_text("You sign in with the house key.")).to_be_visible(timeout=20_000)
        expect(page.get_by_label("New password", exact=True)).to_have_count(0)
        page.close()
