"""Messages received by a connection: a table, the chosen one with its masked body, and replay."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.connection_states import InboxState
from pages.components.administration.connection_periods import period_fields
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, open_dialog, submit
from pages.components.layout.row_table import row_table
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.connections.inbox_log import (
    MOST_AT_ONCE,
    PAGE,
    SETTLED,
    LoggedMessage,
    OpenedMessage,
    find_messages,
    get_message,
    replay_message,
    replay_messages,
)
from services.connections.listing import ListedConnection

_LABELS: Final = {state: state.value.capitalize() for state in InboxState}
_TONES: Final = {
    InboxState.WAITING: "violet",
    InboxState.APPLIED: "green",
    InboxState.UNCHANGED: "grey",
    InboxState.IGNORED: "grey",
    InboxState.REFUSED: "red",
}
_COLORS: Final = {"violet": "violet", "green": "green", "grey": "gray", "red": "red"}
_STATE, _BEFORE = "connection_messages_state", "connection_messages_before"


class RangeSubject(NamedTuple):
    """The connection whose messages are replayed; None for those that came through the database."""

    connection_id: int | None
    zone: ZoneInfo


def messages(listed: ListedConnection | None, zone: ZoneInfo) -> None:
    """The list of a connection's messages, newest first; of no connection with None."""
    connection_id = listed.id if listed else None
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
            args=(_range_dialog(RangeSubject(connection_id, zone)),),
        )
    viewer, before = current_viewer(), st.session_state.get(_BEFORE)
    with viewer_transaction(viewer.account_id) as connection:
        rows = find_messages(connection, viewer, connection_id, state=wanted, before=before, limit=PAGE + 1)
    if not rows:
        st.info(_empty(listed, wanted is not None), icon=":material/inbox:")
        return
    chosen = _table(rows[:PAGE], zone)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(rows) > PAGE:
            st.button("Older", on_click=_go_to, args=(rows[PAGE - 1].id,))
    if chosen:
        _message(chosen, zone)
    else:
        st.session_state.pop("connection_message_opened", None)


def _empty(listed: ListedConnection | None, is_filtered: bool) -> str:
    if is_filtered:
        return "There is no such message."
    if listed is None:
        return "Nothing was put in through the database yet."
    return "Nothing has arrived yet. More, What to paste where, says what the other side needs."


def _table(rows: tuple[LoggedMessage, ...], zone: ZoneInfo) -> LoggedMessage | None:
    frame = pd.DataFrame(
        {
            "Received": [format_time(message.received_at, zone) for message in rows],
            "State": [[_LABELS[message.state]] for message in rows],
            "Type": [message.type for message in rows],
            "Order": [None if message.order_id is None else str(message.order_id) for message in rows],
            "Why": [_why(message) for message in rows],
            "ID": [message.event_id for message in rows],
        }
    )
    chosen = row_table(
        "connection_message",
        frame,
        [message.id for message in rows],
        rows_shown=12 if st.session_state.get("chosen_connection_message") is None else 6,
        alt="Messages; choose a row to see its body below",
        columns={
            "Received": st.column_config.TextColumn(width=150),
            "State": st.column_config.MultiselectColumn(
                width=110, options=list(_LABELS.values()), color=[_COLORS[_TONES[state]] for state in _LABELS]
            ),
            "Type": st.column_config.TextColumn(width=180),
            "Order": st.column_config.TextColumn(width=110),
            "Why": st.column_config.TextColumn(width=560),
            "ID": st.column_config.TextColumn(width=230),
        },
    )
    return next((message for message in rows if message.id == chosen), None)


def _why(message: LoggedMessage) -> str | None:
    return ": ".join(filter(None, (message.field, message.reason))) or None


def _message(message: LoggedMessage, zone: ZoneInfo) -> None:
    with st.container(key=f"order_message_{message.id}_card", gap=None):
        with st.container(
            key=f"order_message_{message.id}_band", horizontal=True, vertical_alignment="center"
        ):
            st.html(
                render(
                    "message_head.html.jinja",
                    message=message,
                    state=_LABELS[message.state],
                    tone=_TONES[message.state],
                    time=lambda at: format_time(at, zone),
                ),
                width="stretch",
            )
            if message.has_body and message.state is not InboxState.WAITING:
                st.button("Apply again", on_click=open_dialog, args=(_again_dialog(message),))
        opened = _opened(message)
        st.html(
            render("message_body.html.jinja", message=message, why=_why(message), opened=opened),
            width="stretch",
        )


def _opened(message: LoggedMessage) -> OpenedMessage:
    """The chosen message with its body, read once: each reading is recorded."""
    opened: OpenedMessage | None = st.session_state.get("connection_message_opened")
    if opened is None or opened.message != message:
        viewer = current_viewer()
        with viewer_transaction(viewer.account_id) as connection:
            opened = get_message(connection, viewer, message.id, address=client_address())
        st.session_state.connection_message_opened = opened
    return opened


def _again_dialog(message: LoggedMessage) -> Dialog[LoggedMessage]:
    return Dialog(Screen.CONNECTIONS, "Apply again", _again, message, may=may_administer)


def _again(message: LoggedMessage) -> None:
    st.html(render("message_again.html.jinja", message=message))
    error = st.empty()
    if st.button("Apply again", type="primary", key=field_key("again")):
        submit({"": error}, replay_message, message.id)


def _range_dialog(subject: RangeSubject) -> Dialog[RangeSubject]:
    return Dialog(Screen.CONNECTIONS, "Replay", _replay, subject, may=may_administer)


def _replay(subject: RangeSubject) -> None:
    st.html(
        "<p>Messages that arrived in this time are applied again, oldest first, each order in its own order. A newer "
        "document that is stored already stays.</p>"
    )
    with st.form("dialog_replay", border=False):
        states = st.multiselect(
            "Messages",
            SETTLED,
            default=[InboxState.REFUSED],
            format_func=_LABELS.__getitem__,
            key=field_key("states"),
        )
        errors = {"states": st.empty()}
        since, until = period_fields(subject.zone)
        errors["until"] = st.empty()
        st.html(f'<div class="es-hint">At most {MOST_AT_ONCE:,} at once.</div>')
        errors[""] = st.empty()
        is_pressed = st.form_submit_button("Replay", type="primary")
    if is_pressed:
        submit(errors, replay_messages, subject.connection_id, states=states, since=since, until=until)


def _go_to(before: int | None) -> None:
    st.session_state[_BEFORE] = before
