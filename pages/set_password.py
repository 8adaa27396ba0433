"""A new password: the only page for somebody who signed in with a one-time one, and a part of the profile."""

import streamlit as st

from pages.components import session
from pages.components.authenticator import sign_out
from services import accounts
from services.access import Viewer
from services.errors import InvalidInput


def show(viewer: Viewer) -> None:
    """The page that nobody gets past before the password is their own."""
    with st.container(key="sign_in_card", width=380):
        st.subheader("Set a new password", anchor=False)
        st.markdown("You signed in with a one-time password. Choose your own before you go on.")
        if draw_form(viewer):
            st.rerun()
        st.button("Sign out", type="tertiary", on_click=sign_out)


def draw_form(viewer: Viewer) -> bool:
    """Draws the fields, each with its error below it; True in the run in which the password was changed."""
    asks_current = not viewer.must_change_password
    with st.form("set_password", border=False):
        values, places = {}, {}
        labels = {"current": "Current password"} if asks_current else {}
        labels |= {"new": "New password", "repeated": "New password again"}
        for field, label in labels.items():
            values[field] = st.text_input(
                label,
                type="password",
                key=f"set_password_{field}",
                autocomplete="current-password" if field == "current" else "new-password",
            )
            places[field] = st.empty()
        st.caption("At least 10 characters, without your email. Your other sessions end at once.")
        if not st.form_submit_button("Set password", type="primary"):
            return False
    try:
        accounts.change_own_password(
            viewer,
            new=values["new"],
            repeated=values["repeated"],
            current=values.get("current"),
            kept_token=session.session_token(),
            address=session.client_address(),
        )
    except InvalidInput as error:
        places[error.field or "new"].error(str(error))
        return False
    session.check_again()
    return True
