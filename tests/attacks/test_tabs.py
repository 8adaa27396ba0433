"""Somebody else's tab: its id is known (from a log, from over a shoulder), its browser's cookie is not."""

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed

from pages.web import tabs
from pages.web.browser_cookies import SESSION
from tests.attacks.conftest import ask, listen, session_of
from tests.support.chromium import settle
from tests.support.line import line
from tests.support.portal import Portal, add_account
from tests.support.signing_in import sign_in_by_form

pytestmark = pytest.mark.usefixtures("sessions")


def cookie_of(page: Page) -> str:
    [value] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == SESSION]
    return f"{SESSION}={value}"


@pytest.fixture
def taken(portal: Portal, page: Page) -> tuple[str, str]:
    """A tab that somebody has just signed in at, over the connection that it had before: its id, and their e-mail."""
    email = add_account(portal, "Victoria")
    ids = listen(page)
    page.goto("/profile")
    sign_in_by_form(page, email)
    expect(page.get_by_text(email)).to_be_visible(timeout=20_000)
    settle(page)
    return ids[-1], email


def test_a_tab_is_not_given_to_whoever_knows_its_id(
    portal: Portal, page: Page, taken: tuple[str, str]
) -> None:
    tab, email = taken
    other = f"{SESSION}={session_of(portal, 'boris@demo.example')}"
    ended = cookie_of(page)[:-4] + "AAAA"
    for cookie in (None, other, ended, "esupport=x"):
        with line(portal.url, cookie=cookie, tab=tab) as attacker:
            attacker.run()
            assert attacker.tab not in ("", tab)
            assert not attacker.shows(email), cookie
            assert not attacker.shows("Victoria")
    # Its own browser has noticed nothing.
    page.get_by_role("link", name="Profile").click()
    expect(page.get_by_text(email)).to_be_visible(timeout=20_000)
    settle(page)  # or the end of this run is what the next connection sees first
    # The control: with its cookie, a connection that was cut off goes on at the same tab.
    with line(portal.url, cookie=cookie_of(page), tab=tab) as own:
        own.run()
        assert own.tab == tab
        assert own.shows(email) or own.shows("Victoria")


def test_a_tab_that_nobody_signed_in_at_is_given_to_nobody(portal: Portal, page: Page) -> None:
    ids = listen(page)
    page.goto("/")
    expect(page.get_by_label("Email")).to_be_visible(timeout=20_000)
    with line(portal.url, tab=ids[-1]) as attacker:
        assert attacker.run().tab not in ("", ids[-1])
    # So nobody waits in it for the one who signs in next.
    sign_in_by_form(page, add_account(portal, "Wilma"))
    assert len(set(ids)) == 1


def test_a_tab_that_was_signed_out_of_is_nobodys(portal: Portal, page: Page, taken: tuple[str, str]) -> None:
    tab, _ = taken
    cookie = cookie_of(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Email")).to_be_visible(timeout=20_000)
    with line(portal.url, cookie=cookie, tab=tab) as attacker:
        attacker.run()
        assert attacker.tab not in ("", tab)
        assert attacker.shows("Sign in")


def test_more_entries_or_lines_change_nothing(portal: Portal, taken: tuple[str, str]) -> None:
    tab, email = taken
    for entries in ([tab, tab], ["x", tab], [tab, "x", tab]):
        with line(portal.url, protocols=["streamlit", "none", *entries]) as attacker:
            attacker.run()
            assert attacker.tab not in ("", tab)
            assert not attacker.shows(email)
    second = {"Sec-WebSocket-Protocol": f"streamlit, none, {tab}"}
    for protocols in (["streamlit"], ["streamlit", "none", "x"]):
        with line(portal.url, protocols=protocols, headers=second) as attacker:
            attacker.run()
            assert attacker.tab not in ("", tab)
            assert not attacker.shows(email)


def test_our_own_name_for_a_connection_cannot_be_given(portal: Portal) -> None:
    # Whoever could choose it could pass for a connection over which somebody has signed in.
    with line(portal.url, headers={tabs.CONNECTION_HEADER: "x" * 22}) as attacker:
        attacker.run()
        attacker.socket.send(b"\0" * 200_000)
        with pytest.raises(ConnectionClosed):
            while True:
                attacker.socket.recv(timeout=20)


def test_a_page_picture_needs_a_session(portal: Portal) -> None:
    cookie = f"{SESSION}={session_of(portal, 'anna@demo.example')}"
    # Found or not is told apart only to those who are signed in.
    for path in ("/media/x.svg", "/media/"):
        assert ask(portal.url, path=path).body == b"Not found."
        assert ask(portal.url, path=path, Cookie=cookie).body != b"Not found."
