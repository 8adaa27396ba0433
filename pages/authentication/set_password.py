"""A new password: the only page after signing in with a one-time password, and a part of the Profile page."""

import streamlit as st

from pages.authentication.authenticator import browser_device, sign_out
from pages.authentication.card import sign_in_card
from pages.components.layout import session
from pages.components.layout.errors import field_error
from pages.components.layout.request import page_browser
from services.access import Viewer
from services.accounts import profile
from services.authentication.passwords import MINIMUM_LENGTH
from services.errors import InvalidInput, SupportError

_ROUND = "set_password_round"
_LABELS = {
    "current": "Current password",
    "new": "New password",
    "repeated": "New password again",
}


def show(viewer: Viewer) -> None:
    """Draw the form as the only page, for a viewer who signed in with a one-time password."""
    with sign_in_card("Set a new password"):
        st.text("You signed in with a one-time password. Choose your own before you go on.")
        if draw_form(viewer):
            st.rerun()
        st.button("Sign out", type="tertiary", on_click=sign_out)


def draw_form(viewer: Viewer) -> bool:
    """Draw the fields, each with its error below it; return True in the run that changed the password."""
    fields = [field for field in _LABELS if field != "current" or not viewer.must_change_password]
    number = st.session_state.setdefault(_ROUND, 0)  # after a change the fields are new ones, and empty
    values, errors = {}, {}
    with st.form("set_password", border=False):
        for field in fields:
            values[field] = st.text_input(
                _LABELS[field],
                type="password",
                key=f"set_password_{field}_{number}",
                autocomplete="current-password" if field == "current" else "new-password",
            )
            errors[field] = st.empty()
        st.caption(
            f"At least {MINIMUM_LENGTH} characters, without your email. Other browsers are signed out at once."
        )
        if not st.form_submit_button("Set password", type="primary"):
            return False
    try:
        profile.change_own_password(
            viewer,
            new=values["new"],
            repeated=values["repeated"],
            current=values.get("current"),
            address=session.client_address(),
            browser=page_browser(),
            device=browser_device(),
        )
    except SupportError as refusal:
        field = refusal.field if isinstance(refusal, InvalidInput) and refusal.field in errors else "new"
        field_error(errors[field], refusal)
        return False
    st.session_state[_ROUND] = number + 1
    session.check_again()
    return True
