"""Single sign-on: the button that leads to the provider, and what becomes of its answer."""

from typing import Final

import streamlit as st

from db.settings import settings
from pages.components import session
from pages.components.authenticator import (
    PENDING,
    Pending,
    SessionCookieModel,
    browser_device,
    open_session,
)
from pages.components.provider_web import FAILED, FAILED_PARAMETER
from services import second_factor, single_sign_on

_JUDGED: Final = "single_sign_on_judged"
_REFUSED: Final = "single_sign_on_refused"


def accept() -> None:
    """Looks at the provider's answer, once a tab; with a good one the page starts again, signed in.

    Somebody with a second factor here is asked for it next, unless the provider says that it asked for one.
    """
    if not single_sign_on.is_on() or st.session_state.get(_JUDGED) or not st.user.get("is_logged_in"):
        return
    st.session_state[_JUDGED] = True
    address = session.client_address()
    judged = single_sign_on.judge(st.user.to_dict(), address=address, device=browser_device())
    if judged is None:
        return
    if judged.checked is None:
        st.session_state[_REFUSED] = judged.refused
        return
    if second_factor.is_asked_after(judged.checked.attempt):
        st.session_state[PENDING] = Pending(judged.checked)
        return
    token = open_session(judged.checked, address)
    if token is None:
        single_sign_on.record_refusal(judged, address=address)
        st.session_state[_REFUSED] = single_sign_on.UNKNOWN
        return
    session.begin(token)
    SessionCookieModel().set_cookie()
    st.rerun()


def draw_button() -> None:
    """The way to the provider, where there is one, and why the last attempt failed."""
    if not (provider := settings().provider):
        return
    if st.query_params.pop(FAILED_PARAMETER, None):
        st.session_state[_REFUSED] = FAILED
    if refused := st.session_state.get(_REFUSED):
        st.error(refused)
    if st.button(
        f"Sign in with {provider.name}",
        key="single_sign_on",
        type="secondary" if settings().passwords else "primary",
        width="stretch",
    ):
        st.session_state.pop(_REFUSED, None)
        st.login()
