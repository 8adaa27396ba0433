"""The second factor: its question after the password, its set-up, and the part of the profile about it."""

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
from services.access import Viewer
from services.authentication import second_factor, sessions
from services.errors import Conflict, InvalidInput, SupportError
from services.settings import settings

_ENROLMENT: Final = "second_factor_enrolment"
_CODES: Final = "second_factor_codes"
_ASKED_FOR: Final = 300.0  # seconds after the password


def is_asked() -> bool:
    """Whether a password was right a moment ago, so that a code is asked for next."""
    pending = st.session_state.get(PENDING)
    if pending is not None and time.monotonic() - pending.since > _ASKED_FOR:
        _give_up()
        return False
    return pending is not None


def show_question() -> None:
    """Asks for a code; with the right one, a session is opened."""
    pending = st.session_state[PENDING]
    with sign_in_card("Second factor"):
        with st.form("second_factor", border=False):
            code = st.text_input(
                "Code", autocomplete="one-time-code", help="From your app, or a recovery code."
            )
            error = st.empty()
            pressed = st.form_submit_button("Sign in", type="primary")
        st.button("Back", type="tertiary", on_click=_give_up)
    if not pressed:
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
    """The page that nobody gets past whose role must have a second factor and who has none."""
    with sign_in_card("Set up a second factor", width=420):
        st.text("Your role needs one before you go on.")
        _set_up(viewer)
        st.button("Sign out", type="tertiary", on_click=sign_out)


def draw_own(viewer: Viewer) -> None:
    """The profile's part: switch it on, or off."""
    if codes := st.session_state.get(_CODES):
        _show_codes(codes)
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
    enrolment = st.session_state.setdefault(_ENROLMENT, None) or second_factor.begin(viewer)
    st.session_state[_ENROLMENT] = enrolment
    st.html(
        "<p>Scan this with an authenticator app, or type the key into it; then enter the code that it shows.</p>"
    )
    st.image(enrolment.qr_svg, width=190)
    st.html(
        f'<p class="es-mono">{html_text(" ".join(enrolment.secret[i : i + 4] for i in range(0, 32, 4)))}</p>'
    )
    with st.form("set_up_second_factor", border=False):
        code = st.text_input("Code of the app", autocomplete="one-time-code")
        error = st.empty()
        password, wrong = None, error
        if second_factor.needs_password(viewer):
            password = st.text_input(
                "Current password", type="password", key="set_up_password", autocomplete="current-password"
            )
            wrong = st.empty()
        pressed = st.form_submit_button("Switch on", type="primary")
    if not pressed:
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
        place = wrong if isinstance(refusal, InvalidInput) and refusal.field == "password" else error
        field_error(place, refusal)
        if isinstance(refusal, Conflict):  # what is shown is worthless; another one comes with the next run
            _forget_enrolment()
        return
    _forget_enrolment()
    st.session_state[_CODES] = codes
    session.check_again()
    st.switch_page("pages/profile.py")


def _show_codes(codes: tuple[str, ...]) -> None:
    lines = "".join(f"<li>{html_text(code)}</li>" for code in codes)
    st.html(
        "<p>The second factor is on. Keep these recovery codes where you keep secrets: each lets you in once when the "
        f'app is not at hand. They are not shown again.</p><ul class="es-mono">{lines}</ul>'
    )


def _switch_off(viewer: Viewer) -> None:
    st.text("It is on: a code is asked for when you sign in.")
    with st.form("switch_off", border=False):
        if settings().sign_in.passwords:
            password = st.text_input("Current password", type="password", autocomplete="current-password")
        else:
            password = st.text_input("Code of the app", autocomplete="one-time-code")
        error = st.empty()
        pressed = st.form_submit_button("Switch off")
    if not pressed:
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
