"""The viewer of the running page.

The browser's cookie is read once, when a tab connects; from then on the tab holds the token, and the database is asked
in every run whether its session still holds. The answer is reused within `one_check` and nowhere else: outside of it,
such as in a callback, every question goes to the database. A tab whose connection was made again must have come with
the cookie of its own session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from pages.components.layout import unfinished
from pages.components.layout.request import page_address
from pages.web import browser_cookies, tabs
from pages.web.bare_run import refuse_bare_run
from pages.web.streamlit_private import tab_id
from services.access import Viewer
from services.authentication import sessions
from services.settings import settings
from services.time_zones import find_time_zone

# The token of this tab's session; "" once it is known that there is none, so that the cookie that the tab
# connected with is not read again.
TOKEN_KEY = "session_token"  # noqa: S105 - the name of the place, not a token
# The token that marks the browser as known, from its first sign-in until its cookie is read again.
DEVICE_KEY = "device_token"
_FIRST_COOKIE_KEY = "session_first_cookie"


@dataclass(slots=True)
class _Check:
    """The answer of the database within one `one_check`; `is_made` is false until the first question."""

    is_made: bool = False
    viewer: Viewer | None = None


_open_check: ContextVar[_Check | None] = ContextVar("open_check", default=None)


@contextmanager
def one_check() -> Iterator[None]:
    """Make the code inside ask the database once who is signed in; inside another `one_check`, that one's answer holds.

    `app.py` wraps a whole run in it, and fragments.py each part that is drawn again by itself. The answer ends with the
    block, so that no later run can see the rights of an earlier one.
    """
    if _open_check.get() is not None:
        yield
        return
    reset_token = _open_check.set(_Check())
    try:
        yield
    finally:
        _open_check.reset(reset_token)


def find_viewer() -> Viewer | None:
    """The account that is signed in, with role and stores as they are now; None when nobody is.

    The only way to one for a page, so that no page is drawn by another web server than the portal's own.
    """
    refuse_bare_run()
    check = _open_check.get()
    if check is not None and check.is_made:
        return check.viewer
    viewer = _ask_database()
    if check is not None:
        check.is_made, check.viewer = True, viewer
    return viewer


def _ask_database() -> Viewer | None:
    token = session_token()
    viewer = sessions.viewer_of_token(token) if token and _is_of_this_browser(token) else None
    if viewer is not None:
        _bind(token)
    elif token:
        work = unfinished.collect(token)
        forget()
        unfinished.store(work)
    else:
        st.session_state[TOKEN_KEY] = ""
    if viewer is not None and viewer.may_enter:
        unfinished.give_back(viewer.account_id)
    return viewer


def current_viewer() -> Viewer:
    """The viewer of the running page; cheap to call, one check per run.

    When the session has ended since (or something must be set up first), the run stops here and the whole page starts
    again at the gate in `app.py`.
    """
    viewer = find_viewer()
    if viewer is None or not viewer.may_enter:
        st.rerun()
    return viewer


def current_account_id() -> int:
    """The account of the running page; ends the run as `current_viewer` does."""
    return current_viewer().account_id


def client_address() -> str | None:
    """The viewer's network address, for the audit log; None on this machine itself."""
    return page_address()


def time_zone() -> ZoneInfo:
    """The zone that days and times are shown in: the viewer's own choice, else the browser's, else UTC."""
    chosen = find_time_zone(current_viewer().time_zone)
    return chosen or find_time_zone(st.context.timezone) or ZoneInfo("UTC")


def session_token() -> str:
    """This tab's token, or "" when it has none."""
    if TOKEN_KEY not in st.session_state:
        st.session_state[TOKEN_KEY] = cookie_token()
    return str(st.session_state[TOKEN_KEY])


def cookie_token(name: str = browser_cookies.SESSION) -> str:
    """The token in one of the cookies that this tab connected with, or ""."""
    secure = settings().web.base_url.startswith("https:") or tabs.is_secure(_connection())
    return browser_cookies.token_in(st.context.cookies, name, secure=secure)


def begin(token: str) -> None:
    """Make this tab hold the session that was just opened."""
    work = unfinished.stored()
    forget()
    unfinished.store(work)
    st.session_state[TOKEN_KEY] = token
    st.session_state[_FIRST_COOKIE_KEY] = cookie_token()
    _bind(token)


def check_again() -> None:
    """Make the next question in this run go to the database: the account was just changed."""
    if check := _open_check.get():
        check.is_made = False


def forget() -> None:
    """Drop everything that this tab holds: the next person who uses it must not see the previous viewer's searches."""
    device = st.session_state.get(DEVICE_KEY)  # the browser's, not an account's
    st.session_state.clear()
    st.session_state[DEVICE_KEY] = device
    st.session_state[TOKEN_KEY] = ""
    check_again()
    if tab := tab_id():
        tabs.release(tab)


def _bind(token: str) -> None:
    if tab := tab_id():
        tabs.bind(tab, token, _connection())


def _connection() -> str | None:
    return st.context.headers.get(tabs.CONNECTION_HEADER)


def _is_of_this_browser(token: str) -> bool:
    """Whether this tab's connection came with its session's cookie, or is still the one that it signed in over."""
    if _connection() is None:  # a page without the portal's web server, as in a test
        return True
    return cookie_token() in (token, st.session_state.get(_FIRST_COOKIE_KEY))
