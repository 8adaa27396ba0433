"""streamlit-authenticator over the accounts in the database.

The library draws the form and reads it; what it would decide from a dictionary in memory, the database decides here,
and the cookie that it would set by script is set by a route (browser_cookies.py). It offers no hooks for that, so that
private parts of version 0.4.2 are replaced; each has a test (tests/pages/authentication/test_authenticator.py), and
docs/decisions/003-sign-in.md and 020-a-cookie-that-no-script-reads.md say why.
"""

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController, CookieController
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from pages.components.layout import session
from pages.components.layout.request import page_address, page_browser
from pages.web import browser_cookies
from pages.web.browser_cookies import Cookie
from services.authentication import second_factor, sessions
from services.errors import SupportError

FORM_KEY = "sign_in"
FIELDS = {"Form name": "ESupport portal", "Username": "Email", "Password": "Password", "Login": "Sign in"}
_TICKET_KEY: Final = "cookie_ticket"
PENDING = "second_factor_pending"
# Why a password was not looked at.
NOT_NOW = "sign_in_not_now"
_bringer = st.components.v2.component(
    "esupport_ticket",
    js=(Path(__file__).parents[1] / "static" / "ticket.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """Who is at the door and has only the code of the second factor left to say."""

    checked: sessions.CheckedAccount
    since: float = field(default_factory=time.monotonic)


class SessionAuthenticator(Authenticate):  # type: ignore[misc]  # the library has no types
    """The library's form over our accounts and our cookie."""

    def __init__(self) -> None:
        # Not the parent's: it would draw a component that reads every cookie of the browser on each run.
        self.api_key = None
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.secret_key = secrets.token_hex(32)  # signs what we do not use: captchas, mailed codes
        self.cookie_controller = SessionCookieController()
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False, secret_key=self.secret_key
        )
        self.authentication_controller.authentication_model = AccountModel(
            {"usernames": {}}, auto_hash=False, secret_key=self.secret_key
        )


class AccountModel(AuthenticationModel):  # type: ignore[misc]  # the library has no types
    """Asks the database instead of a dictionary."""

    def check_credentials(self, username: str, password: str) -> bool:
        """Whether a session could be opened; its token is this tab's from then on."""
        address = page_address()
        try:
            checked = sessions.check_password(username, password, address=address, device=browser_device())
        except SupportError as refusal:  # not about this account: too many from there, or too many at once
            st.session_state[NOT_NOW] = str(refusal)
            return False
        if checked is not None and second_factor.is_asked_after(checked.attempt):
            # Nobody is signed in yet: pages/authentication/second_factor.py asks for a code next.
            st.session_state[PENDING] = Pending(checked)
            return False
        token = None if checked is None else open_session(checked, address)
        if token is None:
            return False
        session.begin(token)
        # What the parent looks up after a success; the accounts themselves stay in the database.
        self.credentials["usernames"][username] = {"email": username}
        return True


class SessionCookieModel(CookieModel):  # type: ignore[misc]  # the library has no types
    """Our session's cookie: read when a tab connects (session.py), set and deleted by tickets."""

    def __init__(self) -> None:
        """Not the parent's: it would draw a component that reads every cookie of the browser."""

    def get_cookie(self) -> None:
        """None: where the form is drawn, it is known already that nobody is signed in."""

    def set_cookie(self) -> None:
        """Leaves it to the tab's own browser to fetch the cookie."""
        life, remembered = (
            round(one.total_seconds()) for one in (sessions.SESSION_LIFE, sessions.DEVICE_LIFE)
        )
        cookies = [Cookie(browser_cookies.SESSION, session.session_token(), life)]
        if device := browser_device():
            cookies.append(Cookie(browser_cookies.DEVICE, device, remembered))
        change_cookies(*cookies)

    def delete_cookie(self) -> None:
        """The same for the cookie of the session that ended, and no other's."""
        change_cookies(
            Cookie(browser_cookies.SESSION, None, only_if=sessions.digest(session.session_token()))
        )


class SessionCookieController(CookieController):  # type: ignore[misc]  # the library has no types
    def __init__(self) -> None:
        self.cookie_model = SessionCookieModel()


def open_session(checked: sessions.CheckedAccount, address: str | None) -> str | None:
    """A new session's token; the browser is known from then on, by a cookie that opens nothing."""
    device = browser_device() or sessions.new_device()
    token = sessions.open_session(checked, address=address, browser=page_browser(), device=device)
    if token is not None:
        st.session_state[session.DEVICE_KEY] = device
    return token


def browser_device() -> str | None:
    """What the browser says it was known by at an earlier sign-in."""
    return session.cookie_token(browser_cookies.DEVICE) or st.session_state.get(session.DEVICE_KEY)


def sign_out() -> None:
    """Ends this tab's session on the server and deletes its cookie; the next run shows the sign-in form."""
    token = session.session_token()
    if token:
        sessions.end_session(token, address=page_address())
    session.forget()
    change_cookies(Cookie(browser_cookies.SESSION, None, only_if=sessions.digest(token)))
    st.query_params.clear()


def change_cookies(*cookies: Cookie, tell: bool = False) -> None:
    """Has the tab's browser set or delete these cookies, as soon as `draw_cookie_change` was drawn.

    With `tell`, the page runs again when that was done.
    """
    st.session_state[_TICKET_KEY] = (browser_cookies.mint(cookies), tell)


def are_cookies_changed() -> bool:
    """Whether the browser has done so."""
    return _TICKET_KEY not in st.session_state


def draw_cookie_change() -> None:
    """Draws the script that brings the ticket, in every run until it has arrived."""
    # Always there: were it gone after the change, all below would move, and what was typed meanwhile be lost.
    place = st.container(key="cookie_change")
    if _TICKET_KEY not in st.session_state:
        return
    ticket, tell = st.session_state[_TICKET_KEY]
    if not browser_cookies.is_waiting(ticket):
        del st.session_state[_TICKET_KEY]
        return
    with place:
        _bringer(
            # Streamlit refuses two underscores in a row, which a ticket may have.
            key=f"ticket_{browser_cookies.digest_of(ticket).hex()[:16]}",
            data={"ticket": ticket, "tell": tell},
            on_arrived_change=lambda: None,
        )
