"""The sign-in page."""

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
from pages.web.streamlit_private import AUTHENTICATION_STATUS, is_submitted
from services.authentication.sessions import REFUSED
from services.settings import settings


def show() -> None:
    """Draw the form; once somebody is signed in, run the page again at the requested address."""
    with sign_in_card():
        if (work := unfinished.stored()) is not None:
            is_stored = " What you were writing is kept." if work.has_text else ""
            notice = f"{work.sentence} Please sign in again.{is_stored}"
            st.html(f'<div class="es-ended" role="status">{html_text(notice)}</div>')
        if not settings().sign_in.passwords:
            st.subheader(FIELDS["Form name"], anchor=False)
            single_sign_on.draw_button()
            return
        draw_sign_in_form()
        if session.session_token() or PENDING in st.session_state:
            st.rerun()
        if st.session_state.get(AUTHENTICATION_STATUS) is False:
            st.error(st.session_state.pop(NOT_NOW, REFUSED))
        elif is_submitted(FORM_KEY, FIELDS["Login"]):
            st.error("Enter your email and your password.")
        single_sign_on.draw_button()
        password_reset.draw_button()
