"""The viewer's own account: who they are, their password, second factor and sessions."""

from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.authentication import second_factor, set_password
from pages.authentication.authenticator import sign_out
from pages.components.layout import session
from pages.components.layout.errors import showing_errors
from pages.components.layout.style import page_style
from pages.components.refunds.digest import draw_digest, follow_time_zone, was_saved
from pages.rendering.formatting import ROLE_LABELS, format_time
from pages.rendering.templates import render
from services.access import Viewer
from services.accounts import profile
from services.authentication.user_agents import describe_user_agent
from services.settings import settings
from services.time_zones import find_time_zone, time_zones
from services.version import VERSION

_ZONE: Final = "profile_time_zone"
_RESULT: Final = "profile_result"


def page() -> None:
    page_style()
    viewer = session.current_viewer()
    st.title("Profile", anchor=False)
    if result := st.session_state.pop(_RESULT, None):
        st.toast(result, icon=":material/check:")
    if was_saved():
        st.toast("Your choice was saved.", icon=":material/check:")
    with st.container(key="profile"):
        about, password = st.columns(2, gap="medium")
    with about, st.container(border=True, height="stretch"):
        st.header("Account", anchor=False)
        _facts(viewer)
        _time_zone(viewer)
        st.button("Sign out", key="profile_sign_out", icon=":material/logout:", on_click=sign_out)
    with password, st.container(border=True, height="stretch"):
        st.header("Change password" if settings().sign_in.passwords else "Sign in", anchor=False)
        if (provider := settings().sign_in.provider) and not settings().sign_in.passwords:
            st.text(f"You sign in with {provider.name}.")
        elif set_password.draw_form(viewer):
            st.session_state[_RESULT] = "Your password was changed. Other browsers are signed out."
            st.rerun()
    if viewer.may_work_refund_queue:
        with st.container(border=True, key="profile_digest"):
            st.header("Refund requests by e-mail", anchor=False)
            draw_digest(viewer)
    with st.container(border=True, key="profile_factor"):
        st.header("Second factor", anchor=False)
        second_factor.draw_own(viewer)
    with st.container(border=True, key="profile_sessions"):
        st.header("Signed in", anchor=False)
        _sessions(viewer)
    st.caption(f"ESupport portal {VERSION}")


def _sessions(viewer: Viewer) -> None:
    with viewer_transaction(viewer.account_id) as connection:
        sessions = profile.find_own_sessions(connection, viewer, token=session.session_token())
    zone = session.time_zone()
    for own in sessions:
        with st.container(horizontal=True, vertical_alignment="center", key=f"session_{own.id}"):
            st.html(
                render(
                    "own_session.html.jinja",
                    browser=describe_user_agent(own.browser),
                    is_current=own.is_current,
                    since=format_time(own.created_at, zone),
                    address=own.address,
                ),
                width="stretch",
            )
            if not own.is_current:
                st.button("End", key=f"end_session_{own.id}", on_click=_end, args=(own.id,))


def _end(session_id: int) -> None:
    profile.end_own_session(session.current_viewer(), session_id, address=session.client_address())
    st.session_state[_RESULT] = "The session was ended."


def _facts(viewer: Viewer) -> None:
    stores = ", ".join(store.title or store.name for store in viewer.stores)
    facts = {
        "Name": viewer.name,
        "Email": viewer.email,
        "Role": ROLE_LABELS[viewer.role],
        "Stores": stores or "None yet. An administrator can give you some.",
    }
    st.html(render("account_facts.html.jinja", facts=facts))


def _time_zone(viewer: Viewer) -> None:
    browser_zone = find_time_zone(st.context.timezone)
    options = [None, *time_zones()]
    st.selectbox(
        "Time zone",
        options,
        index=options.index(viewer.time_zone) if viewer.time_zone in options else 0,
        format_func=lambda zone: (
            zone or f"Browser's time zone ({browser_zone.key if browser_zone else 'UTC'})"
        ),
        key=_ZONE,
        on_change=_save_time_zone,
        help="Days in the search and all times are those of this zone.",
    )


def _save_time_zone() -> None:
    profile.set_own_time_zone(session.current_viewer(), st.session_state[_ZONE])
    session.check_again()
    follow_time_zone()
    st.session_state[_RESULT] = "Your time zone was saved."


with showing_errors():
    page()
