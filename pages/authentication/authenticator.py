"""streamlit-authenticator over the accounts in the database.

The library draws and reads the form (`SignInForm` in pages/web/streamlit_private.py). The database takes the decisions
that the library would take from a dictionary in memory, and a route sets the cookie that it would set by script
(browser_cookies.py). docs/decisions/003-sign-in.md and 020-a-cookie-that-no-script-reads.md say why.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st

from pages.components.layout import session
from pages.components.layout.request import page_address, page_browser
from pages.web import browser_cookies
from pages.web.browser_cookies import Cookie
from pages.web.streamlit_private import SignInForm
from services.authentication import second_factor, sessions
from services.errors import SupportError

FORM_KEY = "sign_in"
FIELDS = {"Form name": "ESupport portal", "Username": "Email", "Password": "Password", "Login": "Sign in"}
_TICKET_KEY: Final = "cookie_ticket"
PENDING = "second_factor_pending"
# Why a password was not checked.
NOT_NOW = "sign_in_not_now"
_bringer = st.components.v2.component(
    "esupport_ticket",
    js=(Path(__file__).parents[1] / "static" / "ticket.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that still needs its second-factor code; `since` is of the monotonic clock."""

    checked: sessions.CheckedAccount
    since: float = field(default_factory=time.monotonic)


def draw_sign_in_form() -> None:
    """Draw the form and check what was sent; with the right credentials, the tab has a session from then on."""
    SignInForm(_check_credentials, set_session_cookie).login(fields=FIELDS, key=FORM_KEY)


def _check_credentials(email: str, password: str) -> bool:
    """Open a session, whose token this tab holds from then on; return whether that was possible."""
    address = page_address()
    try:
        checked = sessions.check_password(email, password, address=address, device=browser_device())
    except SupportError as refusal:  # not about this account: too many attempts from the network, or at once
        st.session_state[NOT_NOW] = str(refusal)
        return False
    if checked is not None and second_factor.is_asked_after(checked.attempt):
        # Nobody is signed in yet: pages/authentication/second_factor.py asks for the code next.
        st.session_state[PENDING] = Pending(checked)
        return False
    token = None if checked is None else open_session(checked, address)
    if token is None:
        return False
    session.begin(token)
    return True


def set_session_cookie() -> None:
    """Have the tab's browser fetch the cookie of this tab's session, and that of the browser itself."""
    life, remembered = (round(span.total_seconds()) for span in (sessions.SESSION_LIFE, sessions.DEVICE_LIFE))
    cookies = [Cookie(browser_cookies.SESSION, session.session_token(), life)]
    if device := browser_device():
        cookies.append(Cookie(browser_cookies.DEVICE, device, remembered))
    change_cookies(*cookies)


def open_session(checked: sessions.CheckedAccount, address: str | None) -> str | None:
    """Open a session and return its token; a cookie that opens nothing marks the browser as known from then on."""
    device = browser_device() or sessions.new_device()
    token = sessions.open_session(checked, address=address, browser=page_browser(), device=device)
    if token is not None:
        st.session_state[session.DEVICE_KEY] = device
    return token


def browser_device() -> str | None:
    """The token that marks this browser as one of an earlier sign-in, if it has one."""
    return session.cookie_token(browser_cookies.DEVICE) or st.session_state.get(session.DEVICE_KEY)


def sign_out() -> None:
    """End this tab's session on the server and delete its cookie; the next run shows the sign-in form."""
    token = session.session_token()
    if token:
        sessions.end_session(token, address=page_address())
    session.forget()
    change_cookies(Cookie(browser_cookies.SESSION, None, only_if=sessions.digest(token)))
    st.query_params.clear()


def change_cookies(*cookies: Cookie, tell: bool = False) -> None:
    """Let the tab's browser set or delete these cookies once `draw_cookie_change` is drawn.

    With `tell`, the page runs again when the browser has done so.
    """
    st.session_state[_TICKET_KEY] = (browser_cookies.mint(cookies), tell)


def are_cookies_changed() -> bool:
    """Whether the browser has made the change that was requested last."""
    return _TICKET_KEY not in st.session_state


def draw_cookie_change() -> None:
    """Draw the script that brings the ticket to its route, in every run until it has arrived."""
    # Always there: if it went after the change, all below would move, and what is being typed would be lost.
    container = st.container(key="cookie_change")
    if _TICKET_KEY not in st.session_state:
        return
    ticket, tell = st.session_state[_TICKET_KEY]
    if not browser_cookies.is_waiting(ticket):
        del st.session_state[_TICKET_KEY]
        return
    with container:
        _bringer(
            # Streamlit refuses two underscores in a row, which a ticket may have.
            key=f"ticket_{browser_cookies.digest_of(ticket).hex()[:16]}",
            data={"ticket": ticket, "tell": tell},
            on_arrived_change=lambda: None,
        )
