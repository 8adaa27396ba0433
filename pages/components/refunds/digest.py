"""A refund operator's choice whether requests are told by mail: part of the profile."""

from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.session import current_viewer, time_zone
from services.access import Viewer
from services.refunds.digest import DigestChoice, Every, find_own_digest, set_own_digest

_EVERY: Final = "digest_every"
_HOUR: Final = "digest_hour"
_SAVED: Final = "digest_saved"
_FIRST_HOUR: Final = 8
_LABELS: Final = {None: "Off", Every.HOUR: "Every hour", Every.DAY: "Once a day"}


def draw_digest(viewer: Viewer) -> None:
    """Draw the choice; a change is saved at once."""
    with viewer_transaction(viewer.account_id) as connection:
        choice = find_own_digest(connection, viewer)
    state = st.session_state
    state.setdefault(_EVERY, choice.every if choice else None)
    state.setdefault(_HOUR, choice.hour if choice and choice.hour is not None else _FIRST_HOUR)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "New and overdue requests",
            list(_LABELS),
            format_func=_LABELS.__getitem__,
            key=_EVERY,
            on_change=_save,
            width=220,
        )
        if state[_EVERY] is Every.DAY:
            st.selectbox(
                f"At ({time_zone().key})",
                list(range(24)),
                format_func=lambda hour: f"{hour:02}:00",
                key=_HOUR,
                on_change=_save,
                width=220,
            )
    st.caption("Of the checkout pages you can see, and only when there is something new.")


def _save() -> None:
    state = st.session_state
    every = state[_EVERY]
    choice = None
    if every is not None:
        choice = DigestChoice(every, state.get(_HOUR, _FIRST_HOUR) if every is Every.DAY else None)
    _set(choice)
    state[_SAVED] = True


def _set(choice: DigestChoice | None) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        set_own_digest(connection, viewer, choice, time_zone=time_zone().key)


def was_saved() -> bool:
    """Whether the choice has just been saved; asked once."""
    return bool(st.session_state.pop(_SAVED, False))


def follow_time_zone() -> None:
    """Let a daily digest come at its hour in the viewer's new time zone."""
    viewer = current_viewer()
    if not viewer.may_work_refund_queue:
        return
    with viewer_transaction(viewer.account_id) as connection:
        choice = find_own_digest(connection, viewer)
    if choice is not None:
        _set(choice)
