"""The second factor: the question for its code after the password, its set-up, and its part of the Profile page."""

import time
from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.authentication.authenticator import (
    PENDING,
    browser_device,
    open_session,
    set_session_cookie,
    sign_out,
)
from pages.authentication.card import sign_in_card
from pages.components.layout import session
from pages.components.layout.errors import field_error
from pages.components.layout.request import page_browser
from pages.rendering.escaping import html_text
from pages.rendering.templates import render
from services.access import Viewer
from services.authentication import second_factor, sessions
from services.errors import Conflict, InvalidInput, SupportError
from services.settings import settings

_ENROLMENT: Final = "second_factor_enrolment"
_CODES: Final = "second_factor_codes"
_ANSWER_SECONDS: Final = 300.0  # from the password to the code


def is_asked() -> bool:
    """Whether the right password was given a moment ago, so that the code comes next."""
    pending = st.session_state.get(PENDING)
    if pending is not None and time.monotonic() - pending.since > _ANSWER_SECONDS:
        _give_up()
        return False
    return pending is not None


def show_question() -> None:
    """Ask for a code; the right one opens a session."""
    pending = st.session_state[PENDING]
    with sign_in_card("Second factor"):
        with st.form("second_factor", border=False):
            code = st.text_input(
                "Code", autocomplete="one-time-code", help="From your app, or a recovery code."
            )
            error = st.empty()
            is_pressed = st.form_submit_button("Sign in", type="primary")
        st.button("Back", type="tertiary", on_click=_give_up)
    if not is_pressed:
        return
    address = session.client_address()
    token = None
    if second_factor.check(pending.checked.attempt, code or "", address=address, browser=page_browser()):
        token = open_session(pending.checked, address)
    if token is None:
        field_error(error, sessions.WRONG_CODE)
        return
    session.begin(token)
    set_session_cookie()
    st.rerun()


def show(viewer: Viewer) -> None:
    """Draw the set-up as the only page, for a viewer whose role requires a second factor and who has none."""
    with sign_in_card("Set up a second factor", width=420):
        st.text("Your role needs one before you go on.")
        _set_up(viewer)
        st.button("Sign out", type="tertiary", on_click=sign_out)


def draw_own(viewer: Viewer) -> None:
    """Draw the part of the Profile page that switches the second factor on or off."""
    if codes := st.session_state.get(_CODES):
        st.html(render("recovery_codes.html.jinja", codes=codes))
        st.button("I have saved them", on_click=_forget_codes, type="primary")
        return
    with viewer_transaction(viewer.account_id) as connection:
        is_on = second_factor.has_own(connection, viewer)
    if is_on:
        _switch_off(viewer)
    elif _ENROLMENT in st.session_state:
        _set_up(viewer)
        st.button("Not now", type="tertiary", on_click=_forget_enrolment)
    else:
        st.text("A code from an app on your phone, beside your password.")
        st.button("Set up", on_click=_begin)


def _begin() -> None:
    st.session_state[_ENROLMENT] = second_factor.begin(session.current_viewer())


def _set_up(viewer: Viewer) -> None:
    """Draw the key and the form that confirms it; once confirmed, the recovery codes are shown on the Profile page."""
    enrolment = st.session_state.setdefault(_ENROLMENT, None) or second_factor.begin(viewer)
    st.session_state[_ENROLMENT] = enrolment
    st.html(
        "<p>Scan this with an authenticator app, or type the key into it; then enter the code that it shows.</p>"
    )
    st.image(enrolment.qr_svg, width=190)
    key = " ".join(enrolment.secret[start : start + 4] for start in range(0, 32, 4))
    st.html(f'<p class="es-mono">{html_text(key)}</p>')
    with st.form("set_up_second_factor", border=False):
        code = st.text_input("Code of the app", autocomplete="one-time-code")
        code_error = st.empty()
        password, password_error = None, code_error
        if second_factor.needs_password(viewer):
            password = st.text_input(
                "Current password", type="password", key="set_up_password", autocomplete="current-password"
            )
            password_error = st.empty()
        is_pressed = st.form_submit_button("Switch on", type="primary")
    if not is_pressed:
        return
    try:
        codes = second_factor.confirm(
            viewer,
            enrolment,
            code or "",
            password=password,
            address=session.client_address(),
            browser=page_browser(),
            device=browser_device(),
        )
    except SupportError as refusal:
        is_password = isinstance(refusal, InvalidInput) and refusal.field == "password"
        field_error(password_error if is_password else code_error, refusal)
        if isinstance(refusal, Conflict):  # the key on the page is worthless; the next run makes a new one
            _forget_enrolment()
        return
    _forget_enrolment()
    st.session_state[_CODES] = codes
    session.check_again()
    st.switch_page("pages/profile.py")


def _switch_off(viewer: Viewer) -> None:
    st.text("It is on: a code is asked for when you sign in.")
    with st.form("switch_off", border=False):
        if settings().sign_in.passwords:
            password = st.text_input("Current password", type="password", autocomplete="current-password")
        else:
            password = st.text_input("Code of the app", autocomplete="one-time-code")
        error = st.empty()
        is_pressed = st.form_submit_button("Switch off")
    if not is_pressed:
        return
    try:
        second_factor.remove(
            viewer,
            password or "",
            address=session.client_address(),
            browser=page_browser(),
            device=browser_device(),
        )
    except SupportError as refusal:
        field_error(error, refusal)
        return
    st.rerun()


def _forget_codes() -> None:
    st.session_state.pop(_CODES, None)


def _forget_enrolment() -> None:
    st.session_state.pop(_ENROLMENT, None)


def _give_up() -> None:
    st.session_state.pop(PENDING, None)
