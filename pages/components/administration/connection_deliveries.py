"""Events sent by a connection: a table, the chosen one in full, and replay."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.connection_states import DeliveryState
from pages.components.administration.connection_periods import period_fields
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, open_dialog, submit
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.connections.listing import ListedConnection
from services.delivery.event_log import (
    MOST_REPLAYED,
    PAGE,
    LoggedDelivery,
    find_deliveries,
    replay_deliveries,
)

_LABELS: Final = {state: state.value.capitalize() for state in DeliveryState}
_TONES: Final = {
    DeliveryState.WAITING: "violet",
    DeliveryState.DELIVERED: "green",
    DeliveryState.FAILED: "red",
}
_STATE, _BEFORE = "connection_deliveries_state", "connection_deliveries_before"
_ALL: Final = "All"


class DeliverySubject(NamedTuple):
    connection: ListedConnection
    delivery: LoggedDelivery


class RangeSubject(NamedTuple):
    connection: ListedConnection
    zone: ZoneInfo


def deliveries(listed: ListedConnection, zone: ZoneInfo) -> None:
    """The list of a connection's events, newest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.segmented_control(
            "State",
            list(_LABELS),
            format_func=_LABELS.__getitem__,
            key=_STATE,
            label_visibility="collapsed",
            on_change=_go_to,
            args=(None,),
        )
        st.button(
            "Replay…",
            icon=":material/replay:",
            on_click=open_dialog,
            args=(_range_dialog(RangeSubject(listed, zone)),),
        )
    viewer, before = current_viewer(), st.session_state.get(_BEFORE)
    with viewer_transaction(viewer.account_id) as connection:
        events = find_deliveries(connection, viewer, listed.id, state=wanted, before=before, limit=PAGE + 1)
    if not events:
        st.info(
            "There is no such event."
            if wanted
            else "Nothing was sent yet. What is done on this store's orders goes out by itself.",
            icon=":material/outbox:",
        )
        return
    chosen = _table(events[:PAGE], zone)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(events) > PAGE:
            st.button("Older", on_click=_go_to, args=(events[PAGE - 1].id,))
    if chosen:
        _delivery(listed, chosen, zone)


def _table(events: tuple[LoggedDelivery, ...], zone: ZoneInfo) -> LoggedDelivery | None:
    frame = pd.DataFrame(
        {
            "Happened": [format_time(event.created_at, zone) for event in events],
            "State": [[_LABELS[event.state]] for event in events],
            "Type": [event.type for event in events],
            "Order": [event.order_name for event in events],
            "Attempts": [event.attempts for event in events],
            "Answer": [None if event.last_status is None else str(event.last_status) for event in events],
            "Last error": [event.last_error for event in events],
        }
    )
    chosen = row_table(
        "connection_delivery",
        frame,
        [event.id for event in events],
        rows_shown=12 if st.session_state.get("chosen_connection_delivery") is None else 6,
        alt="Events; choose a row to see it below",
        columns={
            "Happened": st.column_config.TextColumn(width=150),
            "State": st.column_config.MultiselectColumn(
                width=110, options=list(_LABELS.values()), color=[_TONES[state] for state in _LABELS]
            ),
            "Type": st.column_config.TextColumn(width=220),
            "Order": st.column_config.TextColumn(width=120),
            "Attempts": st.column_config.NumberColumn(width=80),
            "Answer": st.column_config.TextColumn(width=80),
            "Last error": st.column_config.TextColumn(width=560),
        },
    )
    return next((event for event in events if event.id == chosen), None)


def _delivery(listed: ListedConnection, event: LoggedDelivery, zone: ZoneInfo) -> None:
    with st.container(key=f"order_delivery_{event.id}_card", gap=None):
        with st.container(
            key=f"order_delivery_{event.id}_band", horizontal=True, vertical_alignment="center"
        ):
            st.html(
                render(
                    "delivery_head.html.jinja",
                    event=event,
                    state=_LABELS[event.state],
                    tone=_TONES[event.state],
                    time=lambda at: format_time(at, zone),
                ),
                width="stretch",
            )
            label = "Send now" if event.state is DeliveryState.WAITING else "Send again"
            st.button(label, on_click=open_dialog, args=(_again_dialog(DeliverySubject(listed, event)),))
        st.html(render("delivery_body.html.jinja", event=event))


def _again_dialog(subject: DeliverySubject) -> Dialog[DeliverySubject]:
    return Dialog(Screen.CONNECTIONS, "Send again", _again, subject, may=may_administer)


def _again(subject: DeliverySubject) -> None:
    listed, event = subject
    st.html(
        f'<p><strong class="es-mono">{html_text(event.type)}</strong> of the order '
        f'<bdi class="es-mono">{html_text(event.order_name)}</bdi> is sent to {html_text(listed.name)} at once, '
        "under the same ID: whoever has it already can tell.</p>"
    )
    error = st.empty()
    if st.button("Send again", type="primary", key=field_key("again")):
        submit({"": error}, replay_deliveries, listed.id, delivery_ids=[event.id])


def _range_dialog(subject: RangeSubject) -> Dialog[RangeSubject]:
    return Dialog(Screen.CONNECTIONS, "Replay", _replay, subject, may=may_administer)


def _replay(subject: RangeSubject) -> None:
    st.html(
        "<p>Events that happened in this time are sent again under the same IDs, each order's in their order.</p>"
    )
    with st.form("dialog_replay", border=False):
        state = st.selectbox(
            "Events",
            [DeliveryState.FAILED, DeliveryState.DELIVERED, DeliveryState.WAITING, None],
            format_func=lambda state: _LABELS[state] if state else _ALL,
            key=field_key("state"),
        )
        since, until = period_fields(subject.zone)
        st.html(f'<div class="es-hint">At most {MOST_REPLAYED:,} at once.</div>')
        error = st.empty()
        is_pressed = st.form_submit_button("Replay", type="primary")
    if is_pressed:
        submit({"": error}, replay_deliveries, subject.connection.id, state=state, since=since, until=until)


def _go_to(before: int | None) -> None:
    st.session_state[_BEFORE] = before
