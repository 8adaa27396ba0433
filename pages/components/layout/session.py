"""Who is looking at the running page.

The browser's cookie is read once, when a tab connects; from then on the tab keeps the token, and the database is asked
on every run whether its session is still open. The answer is kept for one run of `app.py` or of a fragment, between the
two ends of `run()` or `fragment_run()`, and no longer; outside of them, as in a callback, every question goes to the
database. A tab whose connection was made again must have come with the cookie of its own session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from pages.components.layout import unfinished
from pages.components.layout.request import page_address
from pages.web import browser_cookies, tabs
from pages.web.bare_run import REFUSAL, are_pages_allowed
from pages.web.streamlit_private import tab_id
from services.access import Viewer
from services.authentication import sessions
from services.settings import settings
from services.time_zones import find_time_zone

# The token of this tab's session; "" once it is known that there is none, so that the cookie that the tab
# connected with is not read again.
TOKEN_KEY = "session_token"  # noqa: S105 - the name of the place, not a token
# What the browser is known by from its first sign-in on, until its cookie is read again.
DEVICE_KEY = "device_token"
_RUN_KEY = "session_run"
_FIRST_COOKIE_KEY = "session_first_cookie"


@dataclass
class _Run:
    """One run of the script: whether it still goes on, and who was found to be signed in."""

    is_open: bool = True
    is_asked: bool = False
    viewer: Viewer | None = None


@contextmanager
def run() -> Iterator[None]:
    """The run of `app.py`: who is signed in is asked once in it, whatever an earlier run knew."""
    this = _Run()
    st.session_state[_RUN_KEY] = this
    try:
        yield
    finally:
        # Not by way of Streamlit's state, where a click that waits would interrupt this.
        this.is_open = False


@contextmanager
def fragment_run() -> Iterator[None]:
    """The run of a fragment or dialog, alone or within the page's: who is signed in is asked anew at its begin."""
    if _open_run() is not None:
        check_again()
        yield
    else:
        with run():
            yield


def find_viewer() -> Viewer | None:
    """Who is signed in, with role and stores as they are now; None when nobody is.

    A fragment's rerun is a run without `app.py`: this check is made there as well, by the first that asks.
    """
    refuse_bare_run()
    this = _open_run()
    if this is not None and this.is_asked:
        return this.viewer
    token = session_token()
    viewer = sessions.viewer_of_token(token) if token and _is_of_this_browser(token) else None
    if viewer is not None:
        _bind(token)
    elif token:
        left = unfinished.collect(token)
        forget()
        unfinished.keep(left)
    else:
        st.session_state[TOKEN_KEY] = ""
    if viewer is not None and viewer.may_enter:
        unfinished.give_back(viewer.account_id)
    if this is not None:
        this.is_asked, this.viewer = True, viewer
    return viewer


def refuse_bare_run() -> None:
    """Ends the run with a sentence when the pages are served by `streamlit run app.py`, past the web server's checks.

    Asked before anything else of `app.py` and of each page: such a server runs the files of `pages/` by themselves.
    """
    if not are_pages_allowed():
        st.error(REFUSAL)
        st.stop()


def current_viewer() -> Viewer:
    """The viewer of the running page; cheap to call, one check a run.

    When the session has ended meanwhile (or something must be set up first), the run stops here and the whole page
    starts again at the gate in `app.py`.
    """
    viewer = find_viewer()
    if viewer is None or not viewer.may_enter:
        st.rerun()
    return viewer


def current_account_id() -> int:
    """The account of the running page; ends the run as `current_viewer` does."""
    return current_viewer().account_id


def client_address() -> str | None:
    """Where the person is, for the audit log; None on this machine itself."""
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
    """Makes this tab hold the session that was just opened."""
    left = unfinished.kept()
    forget()
    unfinished.keep(left)
    st.session_state[TOKEN_KEY] = token
    st.session_state[_FIRST_COOKIE_KEY] = cookie_token()
    _bind(token)


def check_again() -> None:
    """Makes the next question in this run go to the database: the account was just changed."""
    if (this := _open_run()) is not None:
        this.is_asked = False


def forget() -> None:
    """Drops everything this tab knows: the next person at it must not find the last one's searches."""
    device = st.session_state.get(DEVICE_KEY)  # the browser's and nobody's
    st.session_state.clear()
    st.session_state[DEVICE_KEY] = device
    st.session_state[TOKEN_KEY] = ""
    if tab := tab_id():
        tabs.release(tab)


def _bind(token: str) -> None:
    if tab := tab_id():
        tabs.bind(tab, token, _connection())


def _connection() -> str | None:
    return st.context.headers.get(tabs.CONNECTION_HEADER)


def _is_of_this_browser(token: str) -> bool:
    """Whether this tab's connection came with its session's cookie, or is still the one that it signed in over."""
    if _connection() is None:  # no web server of ours is in front, as in a test of one page
        return True
    return cookie_token() in (token, st.session_state.get(_FIRST_COOKIE_KEY))


def _open_run() -> _Run | None:
    this = st.session_state.get(_RUN_KEY)
    return this if isinstance(this, _Run) and this.is_open else None
