"""How a browser signs in: by a session that the database already has, or through the form.

The form costs a bcrypt, a page more and a round trip to the route that sets the cookie, so only tests about signing in
fill it. All others begin with the cookie that the form would have left behind.
"""

import secrets
import time

from playwright.sync_api import Page, expect

from db.connections.viewers import digest
from pages.web.browser_cookies import SESSION, name_in
from tests.support.chromium import settle
from tests.support.portal import PASSWORD, Portal

# The session's, without TLS and with it.
SESSION_COOKIES = (name_in(SESSION, False), name_in(SESSION, True))


def put_session(page: Page, portal: Portal, email: str) -> None:
    """Give the tab's browser the cookie of a new session: whatever page it loads next is that account's."""
    token = secrets.token_urlsafe(32)
    portal.execute(
        "INSERT INTO account_session (token_digest, account_id, expires_at) "
        "SELECT %s, id, now() + interval '12 hours' FROM account WHERE email = %s",
        digest(token),
        email,
    )
    page.context.add_cookies(
        [
            {
                "name": name_in(SESSION, False),
                "value": token,
                "url": portal.url,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


def sign_in(page: Page, portal: Portal, email: str) -> None:
    """Load the tab's address, or the first page, as that account, without the form; wait until the page is drawn."""
    put_session(page, portal, email)
    page.goto("/" if page.url == "about:blank" else page.url)
    expect(page.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
    settle(page)


def submit(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fills the sign-in form and presses its button."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in_by_form(page: Page, email: str, password: str = PASSWORD) -> None:
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
