"""The sign-in form."""

import streamlit as st

from pages.authentication import password_reset, single_sign_on
from pages.authentication.authenticator import (
    FIELDS,
    FORM_KEY,
    NOT_NOW,
    PENDING,
    draw_sign_in_form,
)
from pages.authentication.card import sign_in_card
from pages.components.layout import session, unfinished
from pages.rendering.escaping import html_text
from pages.web.streamlit_private import AUTHENTICATION_STATUS
from services.authentication.sessions import REFUSED
from services.settings import settings


def show() -> None:
    """Draws the form; starts the page again, at the address that was asked for, once somebody is signed in."""
    with sign_in_card():
        if (left := unfinished.kept()) is not None:
            kept = " What you were writing is kept." if left.has_text else ""
            words = f"{left.sentence} Please sign in again.{kept}"
            st.html(f'<div class="es-ended" role="status">{html_text(words)}</div>')
        if not settings().sign_in.passwords:
            st.subheader(FIELDS["Form name"], anchor=False)
            single_sign_on.draw_button()
            return
        draw_sign_in_form()
        if session.session_token() or PENDING in st.session_state:
            st.rerun()
        if st.session_state.get(AUTHENTICATION_STATUS) is False:
            st.error(st.session_state.pop(NOT_NOW, REFUSED))
        elif st.session_state.get(f"FormSubmitter:{FORM_KEY}-{FIELDS['Login']}"):
            st.error("Enter your email and your password.")
        single_sign_on.draw_button()
        password_reset.draw_button()
