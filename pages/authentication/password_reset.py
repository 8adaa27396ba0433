"""A forgotten password: the form that asks for a link, and the one that the link leads to."""

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

# The address's parameter. Its value, the link's token, was put into a cookie on the way here (doors.py).
LINK = "reset"
_ASKING = "forgotten_asking"
_SAID = "forgotten_said"


def is_asking() -> bool:
    return bool(st.session_state.get(_ASKING))


def draw_button() -> None:
    """Below the sign-in form."""
    if said := st.session_state.pop(_SAID, None):
        st.info(said)
    st.button("Forgot password?", type="tertiary", on_click=_ask, args=(True,))


def show_request() -> None:
    """Asks for the e-mail. The answer is the same whoever that is."""
    with sign_in_card("Forgot password?"):
        with st.form("forgotten_password", border=False):
            email = st.text_input("Email", autocomplete="username")
            error = st.empty()
            pressed = st.form_submit_button("Send link", type="primary")
        if pressed and not strip_edges(email or ""):
            field_error(error, "Enter your email.")
        elif pressed:
            try:
                password_reset.request_link(email or "", address=session.client_address())
            except SupportError as refusal:  # too many from there, whoever was asked for
                field_error(error, refusal)
                return
            st.session_state[_SAID] = password_reset.SENT
            _ask(False)
            st.rerun()
        st.button("Back", type="tertiary", on_click=_ask, args=(False,))


def show_link(token: str) -> None:
    """Sets a new password for whoever holds the link."""
    with sign_in_card("Set a new password"):
        if not password_reset.is_usable(token):
            st.warning(password_reset.LinkUnusable.message)
            st.button("Go to sign in", on_click=_forget_link)
            return
        places = {}
        with st.form("new_password", border=False):
            new = st.text_input("New password", type="password", autocomplete="new-password")
            places["new"] = st.empty()
            repeated = st.text_input("New password again", type="password", autocomplete="new-password")
            places["repeated"] = st.empty()
            st.caption(
                f"At least {MINIMUM_LENGTH} characters, without your email. All browsers are signed out."
            )
            pressed = st.form_submit_button("Set password", type="primary")
        if not pressed:
            return
        try:
            password_reset.set_password(
                token,
                new=new or "",
                repeated=repeated or "",
                address=session.client_address(),
                browser=page_browser(),
            )
        except SupportError as error:
            field = error.field if isinstance(error, InvalidInput) and error.field in places else "new"
            field_error(places[field], error)
            return
        _forget_link()
        session.forget()
        change_cookies(Cookie(RESET, None))
        st.session_state[_SAID] = "Your password was set. Sign in with it."
        st.rerun()


def _ask(is_asking_now: bool) -> None:
    st.session_state[_ASKING] = is_asking_now
    st.session_state[AUTHENTICATION_STATUS] = None  # the sign-in form forgets a refusal from before


def _forget_link() -> None:
    st.query_params.pop(LINK, None)
