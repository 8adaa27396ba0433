"""Single sign-on: the button that leads to the provider, and what becomes of its answer."""

from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from pages.authentication.authenticator import (
    PENDING,
    Pending,
    are_cookies_changed,
    browser_device,
    change_cookies,
    open_session,
    set_session_cookie,
)
from pages.components.layout import session
from pages.web.browser_cookies import NEXT, Cookie
from pages.web.provider_answers import FAILED, FAILED_PARAMETER, LONGEST_ADDRESS
from pages.web.streamlit_private import CALLBACK
from services.authentication import second_factor, single_sign_on
from services.settings import settings

_JUDGED: Final = "single_sign_on_judged"
_REFUSED: Final = "single_sign_on_refused"
_LEAVING: Final = "single_sign_on_leaving"


def accept() -> None:
    """Looks at the provider's answer, once a tab; with a good one the page starts again, signed in.

    Somebody with a second factor here is asked for it next, unless the provider says that it asked for one.
    """
    if not single_sign_on.is_on() or st.session_state.get(_JUDGED) or not st.user.get("is_logged_in"):
        return
    st.session_state[_JUDGED] = True
    address = session.client_address()
    decision = single_sign_on.decide(st.user.to_dict(), address=address, device=browser_device())
    if decision is None:
        return
    if decision.checked is None:
        st.session_state[_REFUSED] = decision.refused
        return
    if second_factor.is_asked_after(decision.checked.attempt):
        st.session_state[PENDING] = Pending(decision.checked)
        return
    token = open_session(decision.checked, address)
    if token is None:
        single_sign_on.record_refusal(decision, address=address)
        st.session_state[_REFUSED] = single_sign_on.UNKNOWN
        return
    session.begin(token)
    set_session_cookie()
    st.rerun()


def draw_button() -> None:
    """The way to the provider, where there is one, and why the last attempt failed."""
    if not (provider := settings().sign_in.provider):
        return
    if st.query_params.pop(FAILED_PARAMETER, None):
        st.session_state[_REFUSED] = FAILED
    if refused := st.session_state.get(_REFUSED):
        st.error(refused)
    if st.button(
        f"Sign in with {provider.name}",
        key="single_sign_on",
        type="secondary" if settings().sign_in.passwords else "primary",
        width="stretch",
    ):
        st.session_state.pop(_REFUSED, None)
        # Where to return to, for the provider's answer comes in another tab's life and to one address only.
        change_cookies(Cookie(NEXT, _address(), 600, path=CALLBACK, same_site="Lax"), tell=True)
        st.session_state[_LEAVING] = True
        st.rerun()
    if st.session_state.get(_LEAVING) and are_cookies_changed():
        del st.session_state[_LEAVING]
        st.login()


def _address() -> str:
    """The page that is asked for, with its query, as a cookie's value; the first page when that is too long."""
    path, query = urlsplit(st.context.url or "").path or "/", urlencode(st.query_params.to_dict())
    address = f"{path}?{query}" if query else path
    return quote(address if len(address) <= LONGEST_ADDRESS else "/", safe="")
