"""One's own account."""

import streamlit as st

from pages import set_password
from pages.components import session
from pages.components.authenticator import sign_out
from services import accounts
from services.access import Role, Viewer

ROLES = {
    Role.SPECIALIST: "Specialist: searches orders and acts on them",
    Role.ANALYST: "Analyst: searches and exports orders",
    Role.REFUND_OPERATOR: "Refund operator: also works the refund queue",
    Role.ADMINISTRATOR: "Administrator: also manages accounts, teams and checkout pages",
}


def show() -> None:
    viewer = session.current_viewer()
    st.title("Profile", anchor=False)
    about, password = st.columns(2, gap="large")
    with about:
        st.text(viewer.name)
        st.text(viewer.email)
        st.text(ROLES[viewer.role])
        st.text(", ".join(store.name for store in viewer.stores) or "No stores")
        _time_zone(viewer)
        st.button("Sign out", key="profile_sign_out", on_click=sign_out)
    with password:
        st.subheader("Change password", anchor=False)
        if set_password.draw_form(viewer):
            st.toast("Your password was changed. Your other sessions have ended.")


def _time_zone(viewer: Viewer) -> None:
    browsers = accounts.find_time_zone(st.context.timezone)
    chosen = st.selectbox(
        "Time zone",
        [None, *accounts.time_zones()],
        index=0,
        format_func=lambda zone: zone or f"Browser's time zone ({browsers.key if browsers else 'UTC'})",
        key="time_zone",
    )
    if chosen != viewer.time_zone:
        accounts.set_own_time_zone(viewer, chosen)


show()
