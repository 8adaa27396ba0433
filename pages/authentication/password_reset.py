"""A forgotten password: the form that requests a link, and the form that the link opens."""

import streamlit as st

from pages.authentication.authenticator import change_cookies
from pages.authentication.card import sign_in_card
from pages.components.layout import session
from pages.components.layout.errors import field_error
from pages.components.layout.request import page_browser
from pages.web.browser_cookies import RESET, Cookie
from pages.web.streamlit_private import AUTHENTICATION_STATUS
from services.authentication import password_reset
from services.authentication.passwords import MINIMUM_LENGTH
from services.errors import InvalidInput, SupportError
from services.text.keys import strip_edges

# The address's parameter. Its value, the link's token, was moved into a cookie on the way here (pages/web/gate.py).
LINK = "reset"
_IS_ASKING = "forgotten_asking"
_RESULT = "forgotten_result"


def is_asking() -> bool:
    """Whether the tab shows the form that requests a link."""
    return bool(st.session_state.get(_IS_ASKING))


def draw_button() -> None:
    """Draw the way to the form, below the sign-in form, and the result of the last one."""
    if result := st.session_state.pop(_RESULT, None):
        st.info(result)
    st.button("Forgot password?", type="tertiary", on_click=_ask, args=(True,))


def show_request() -> None:
    """Ask for the e-mail. The answer is the same for every e-mail, known or not."""
    with sign_in_card("Forgot password?"):
        with st.form("forgotten_password", border=False):
            email = st.text_input("Email", autocomplete="username")
            error = st.empty()
            is_pressed = st.form_submit_button("Send link", type="primary")
        if is_pressed and not strip_edges(email or ""):
            field_error(error, "Enter your email.")
        elif is_pressed:
            try:
                password_reset.request_link(email or "", address=session.client_address())
            except SupportError as refusal:  # too many from this network, for any account
                field_error(error, refusal)
                return
            st.session_state[_RESULT] = password_reset.SENT
            _ask(False)
            st.rerun()
        st.button("Back", type="tertiary", on_click=_ask, args=(False,))


def show_link(token: str) -> None:
    """Draw the form that sets a new password with the token of a link."""
    with sign_in_card("Set a new password"):
        if not password_reset.is_usable(token):
            st.warning(password_reset.LinkUnusable.message)
            st.button("Go to sign in", on_click=_forget_link)
            return
        errors = {}
        with st.form("new_password", border=False):
            new = st.text_input("New password", type="password", autocomplete="new-password")
            errors["new"] = st.empty()
            repeated = st.text_input("New password again", type="password", autocomplete="new-password")
            errors["repeated"] = st.empty()
            st.caption(
                f"At least {MINIMUM_LENGTH} characters, without your email. All browsers are signed out."
            )
            is_pressed = st.form_submit_button("Set password", type="primary")
        if not is_pressed:
            return
        try:
            password_reset.set_password(
                token,
                new=new or "",
                repeated=repeated or "",
                address=session.client_address(),
                browser=page_browser(),
            )
        except SupportError as refusal:
            field = refusal.field if isinstance(refusal, InvalidInput) and refusal.field in errors else "new"
            field_error(errors[field], refusal)
            return
        _forget_link()
        session.forget()
        change_cookies(Cookie(RESET, None))
        st.session_state[_RESULT] = "Your password was set. Sign in with it."
        st.rerun()


def _ask(is_asking: bool) -> None:
    st.session_state[_IS_ASKING] = is_asking
    st.session_state[AUTHENTICATION_STATUS] = None  # so that the sign-in form shows no refusal from before


def _forget_link() -> None:
    st.query_params.pop(LINK, None)
