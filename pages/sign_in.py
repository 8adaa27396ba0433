"""The sign-in form."""

import streamlit as st

from pages.components import session
from pages.components.authenticator import FIELDS, FORM_KEY, SessionAuthenticator
from services.sign_in import REFUSED


def show() -> None:
    """Draws the form; starts the page again, at the address that was asked for, once somebody is signed in."""
    with st.container(key="sign_in_card", width=380):
        answer = st.empty()
        SessionAuthenticator().login(fields=FIELDS, key=FORM_KEY)
        if session.session_token():
            for name in ("name", "authentication_status", "username", "email", "roles", "logout"):
                st.session_state.pop(name, None)
            st.rerun()
        if st.session_state.get("authentication_status") is False:
            st.error(REFUSED)
