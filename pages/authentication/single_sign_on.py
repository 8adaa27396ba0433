"""Single sign-on: the button that leads to the provider, and the decision about its answer."""

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

_IS_DECIDED: Final = "single_sign_on_decided"
_REFUSAL: Final = "single_sign_on_refusal"
_IS_LEAVING: Final = "single_sign_on_leaving"


def accept() -> None:
    """Read the provider's answer, once per tab; when it is good, run the page again, signed in.

    An account with a second factor is asked for its code next, unless the provider says that it asked for one.
    """
    if not single_sign_on.is_on() or st.session_state.get(_IS_DECIDED) or not st.user.get("is_logged_in"):
        return
    st.session_state[_IS_DECIDED] = True
    address = session.client_address()
    decision = single_sign_on.decide(st.user.to_dict(), address=address, device=browser_device())
    if decision is None:
        return
    if decision.checked is None:
        st.session_state[_REFUSAL] = decision.refused
        return
    if second_factor.is_asked_after(decision.checked.attempt):
        st.session_state[PENDING] = Pending(decision.checked)
        return
    token = open_session(decision.checked, address)
    if token is None:
        single_sign_on.record_refusal(decision, address=address)
        st.session_state[_REFUSAL] = single_sign_on.UNKNOWN
        return
    session.begin(token)
    set_session_cookie()
    st.rerun()


def draw_button() -> None:
    """Draw the button that leads to the provider, if there is one, and why the last attempt failed."""
    if not (provider := settings().sign_in.provider):
        return
    if st.query_params.pop(FAILED_PARAMETER, None):
        st.session_state[_REFUSAL] = FAILED
    if refusal := st.session_state.get(_REFUSAL):
        st.error(refusal)
    if st.button(
        f"Sign in with {provider.name}",
        key="single_sign_on",
        type="secondary" if settings().sign_in.passwords else "primary",
        width="stretch",
    ):
        st.session_state.pop(_REFUSAL, None)
        # The address to return to: the provider's answer arrives on a fresh page, and at one address only.
        change_cookies(Cookie(NEXT, _address(), 600, path=CALLBACK, same_site="Lax"), tell=True)
        st.session_state[_IS_LEAVING] = True
        st.rerun()
    if st.session_state.get(_IS_LEAVING) and are_cookies_changed():
        del st.session_state[_IS_LEAVING]
        st.login()


def _address() -> str:
    """The requested address with its query, as a cookie's value; the first page when it is too long."""
    path, query = urlsplit(st.context.url or "").path or "/", urlencode(st.query_params.to_dict())
    address = f"{path}?{query}" if query else path
    return quote(address if len(address) <= LONGEST_ADDRESS else "/", safe="")
