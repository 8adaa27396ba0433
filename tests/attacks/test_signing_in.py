"""Attacks on signing in at a running portal: guesses from many tabs, what was begun before a change, idle sessions."""

import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from pages.web.browser_cookies import DEVICE, SESSION
from services.accounts.administration import reset_password
from services.authentication import password_reset
from services.authentication.sessions import REFUSED, WRONG_CODE, TooManyAttempts
from tests.attacks.conftest import ask, session_of
from tests.support import factories
from tests.support.chromium import note_socket, settle, whole_run
from tests.support.portal import PASSWORD, Portal, add_account
from tests.support.signing_in import sign_in_by_form, submit

pytestmark = pytest.mark.usefixtures("sessions")

SECRET = "A" * 32


@pytest.fixture
def tabs(portal: Portal, browser: Browser) -> Iterator[list[Page]]:
    """Tabs of strangers, each a browser of its own."""
    contexts = [browser.new_context(base_url=portal.url) for _ in range(4)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        note_socket(page)
    yield pages
    for context in contexts:
        context.close()


def id_of(portal: Portal, email: str) -> int:
    [[account_id]] = portal.execute("SELECT id FROM account WHERE email = %s", email)
    return int(account_id)


def guess(page: Page, email: str, password: str = "a wrong guess") -> str:
    """What the form answers."""
    if page.url == "about:blank":
        page.goto("/")
    expect(page.get_by_label("Email")).to_be_visible(timeout=20_000)
    settle(page)
    # The answer to the last guess may still be there.
    with whole_run(page):
        submit(page, email, password)
    said = (
        page.get_by_role("alert")
        .filter(has_text="not right")
        .or_(page.get_by_role("alert").filter(has_text="Too many"))
    )
    expect(said).to_be_visible(timeout=20_000)
    return said.inner_text().strip()


def test_strangers_lock_an_account_and_its_owners_browser_still_lets_in(
    portal: Portal, page: Page, tabs: list[Page]
) -> None:
    email = add_account(portal, "Olga", role="administrator")
    sign_in_by_form(page, email)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == DEVICE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.context.clear_cookies(name=SESSION)
    for number in range(5):
        assert REFUSED in guess(tabs[number % 2], email)
    assert portal.execute("SELECT locked_until > now() FROM account WHERE email = %s", email) == [(True,)]
    tabs[2].goto("/")
    assert REFUSED in guess(tabs[2], email, PASSWORD), "the same sentence, with the right password"
    page.goto("/")
    sign_in_by_form(page, email)
    expect(page.get_by_role("link", name="Administration")).to_be_visible(timeout=20_000)
    assert portal.execute("SELECT locked_until > now() FROM account WHERE email = %s", email) == [(True,)]


def test_twenty_five_guesses_lock_three_accounts_of_five(portal: Portal, tabs: list[Page]) -> None:
    emails = [add_account(portal, f"Guessed{number}", role="administrator") for number in range(5)]
    answers = []
    for email in emails:
        for number in range(5):
            answers.append(guess(tabs[number % 2], email))
    too_many = [answer for answer in answers if TooManyAttempts.message in answer]
    assert len(too_many) >= 5 and REFUSED in answers[0]
    locked = portal.execute(
        "SELECT count(*) FROM account WHERE locked_until > now() AND email = ANY (%s)", emails
    )
    assert locked[0][0] <= 4
    portal.execute("UPDATE sign_in_attempt SET begun_at = begun_at - interval '1 minute'")
    tabs[3].goto("/")
    sign_in_by_form(tabs[3], emails[-1])


def test_a_password_of_before_a_reset_opens_nothing_with_a_code(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Petra")
    portal.execute("UPDATE account SET totp_secret = %s WHERE email = %s", SECRET, email)
    page.goto("/")
    submit(page, email)
    code = page.get_by_label("Code", exact=True)
    expect(code).to_be_visible(timeout=20_000)
    boss = factories.signed_in(id_of(portal, "admin@demo.example"))
    factories.act(boss, reset_password, id_of(portal, email))
    code.fill(pyotp.TOTP(SECRET).at(int(time.time())))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text=WRONG_CODE)).to_be_visible(timeout=20_000)
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == SESSION]
    opened = portal.execute(
        "SELECT count(*) FROM account_session WHERE account_id = %s", id_of(portal, email)
    )
    assert opened == [(0,)]


def test_a_mailed_link_ends_with_an_administrators_reset(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Lena")
    password_reset.request_link(email, address=None)
    [[body]] = portal.execute("SELECT text_body FROM mail WHERE kind = 'password' AND to_address = %s", email)
    link = "/?reset=" + body.split("?reset=")[1].split()[0] if "?reset=" in body else None
    boss = factories.signed_in(id_of(portal, "admin@demo.example"))
    factories.act(boss, reset_password, id_of(portal, email))
    assert link is not None
    page.goto(link)
    expect(page.get_by_text("This link was used already")).to_be_visible(timeout=20_000)


def test_an_idle_session_gets_nothing_and_a_used_one_stays(portal: Portal) -> None:
    email = add_account(portal, "Ida")
    cookie = f"{SESSION}={session_of(portal, email)}"
    documents = "/documents/999999999"

    def recorded() -> int:
        [[number]] = portal.execute(
            "SELECT count(*) FROM audit_log WHERE account_id = %s AND action = 'document download' "
            "AND NOT succeeded",
            id_of(portal, email),
        )
        return int(number)

    def unused(minutes: int) -> None:
        portal.execute(
            "UPDATE account_session SET last_seen_at = now() - make_interval(mins => %s) WHERE account_id = %s",
            minutes,
            id_of(portal, email),
        )

    unused(29)
    assert ask(portal.url, path=documents, Cookie=cookie).status == 404
    assert recorded() == 1, "who is signed in and refused is recorded"
    unused(29)
    assert ask(portal.url, path=documents, Cookie=cookie).status == 404
    assert recorded() == 2
    unused(31)
    assert ask(portal.url, path=documents, Cookie=cookie).status == 404
    assert recorded() == 2, "nobody is"
    assert ask(portal.url, path="/export/no-such-search-1.csv", Cookie=cookie).status == 404


def test_refused_exports_are_recorded(portal: Portal) -> None:
    email = add_account(portal, "Eva", role="analyst")
    cookie = f"{SESSION}={session_of(portal, email)}"
    assert ask(portal.url, path="/export/no-such-search-1.csv", Cookie=cookie).status == 404
    assert ask(portal.url, path="/export/no-such-search-1.exe", Cookie=cookie).status == 404
    rows = portal.execute(
        "SELECT action, succeeded FROM audit_log WHERE account_id = %s ORDER BY id", id_of(portal, email)
    )
    assert rows == [("export", False), ("export", False)]
