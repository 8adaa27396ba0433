"""Connections, for administrators: a card for each, with its addresses, what went through it, and its buttons."""

from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.connection_states import ConnectionKind, InboxState, Purpose
from pages.components.administration import (
    connection_deliveries,
    connection_dialogs,
    connection_form,
    connection_test,
)
from pages.components.administration.connection_messages import messages
from pages.components.layout.dialogs import Dialog, Screen, draw_dialog, open_dialog
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.access import Viewer
from services.connections.kinds import RULES
from services.connections.listing import (
    ConnectionNotFound,
    ListedConnection,
    count_direct_messages,
    find_connections,
    get_connection,
)

_CARDS_AT_ONCE: Final = 10
_VIEW: Final = "connections_view"
_RECEIVED, _SENT = "received", "sent"
_EMPTY: Final = (
    "No store is connected yet: orders come in by file, and what is done here changes nothing at the shop. "
    "Add a connection, and this page tells you what to paste where."
)
_DIRECT: Final = "Put in by a shop's own database"


class View(NamedTuple):
    """The list that is shown instead of the cards. `connection_id` is None for what came through the database."""

    connection_id: int | None
    list: str


@fragment
def connections() -> None:
    """A fragment, so that a click in a list does not draw the page again."""
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    viewer = current_viewer()
    connection_dialogs.open_next()
    view: View | None = st.session_state.get(_VIEW)
    if view is None or not _list(view, viewer, zone):
        with viewer_transaction(viewer.account_id) as connection:
            all_connections = find_connections(connection, viewer)
            direct = count_direct_messages(connection, viewer)
        _cards(all_connections, direct, zone)
    draw_dialog(Screen.CONNECTIONS)


def _list(view: View, viewer: Viewer, zone: ZoneInfo) -> bool:
    """Draw the list of one connection; False when the connection is gone. Nothing is counted for it."""
    shown = None
    if view.connection_id is not None:
        try:
            with viewer_transaction(viewer.account_id) as connection:
                shown = get_connection(connection, viewer, view.connection_id)
        except ConnectionNotFound:
            return False
    _draw_list(view, shown, zone)
    return True


def _draw_list(view: View, shown: ListedConnection | None, zone: ZoneInfo) -> None:
    """The messages of one connection, received or sent, below a way back."""
    with st.container(horizontal=True, vertical_alignment="center", key="connections_back"):
        st.button(
            "All connections", icon=":material/arrow_back:", on_click=_show, args=(None,), type="tertiary"
        )
        title = f"{'Received' if view.list == _RECEIVED else 'Sent'}: {shown.name if shown else _DIRECT}"
        st.html(f"<h2><bdi>{html_text(title)}</bdi></h2>", width="stretch")
    if view.list == _RECEIVED:
        messages(shown, zone)
    elif shown is not None:
        connection_deliveries.deliveries(shown, zone)


def _cards(all_connections: tuple[ListedConnection, ...], direct: int, zone: ZoneInfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            "<p>How a store and its shop, its payment provider or its help desk speak to each other. "
            f'<span class="es-zone">times in {html_text(zone.key)}</span></p>',
            width="stretch",
        )
        st.button(
            "Add connection",
            type="primary",
            icon=":material/add:",
            on_click=open_dialog,
            args=(connection_form.new_dialog(),),
        )
    if not all_connections:
        st.info(_EMPTY, icon=":material/link:")
    cards = st.container(key="connections_list")
    pages = -(-len(all_connections) // _CARDS_AT_ONCE)
    page = st.pagination(pages, key="connections_page") if pages > 1 else 1
    with cards:
        for listed in all_connections[(page - 1) * _CARDS_AT_ONCE : page * _CARDS_AT_ONCE]:
            _card(listed, zone)
        if direct:
            _direct_card(direct)


def _card(listed: ListedConnection, zone: ZoneInfo) -> None:
    key = f"connection_{listed.id}"
    with st.container(key=f"{key}_card", gap=None):
        with st.container(key=f"{key}_band", horizontal=True, vertical_alignment="center", gap="small"):
            st.html(
                render(
                    "connection_head.html.jinja",
                    connection=listed,
                    kind=RULES[listed.kind].label,
                    state=_state(listed),
                    tone=_TONES[_state(listed)],
                ),
                width="stretch",
            )
            if listed.out_url and listed.switched_off_at is None:
                st.button(
                    "Send a test event",
                    key=f"{key}_test",
                    on_click=open_dialog,
                    args=(connection_test.test_dialog(listed),),
                )
            st.button(
                "Change",
                key=f"{key}_change",
                on_click=open_dialog,
                args=(connection_form.change_dialog(listed),),
            )
            _menu(listed, key)
        with st.container(key=f"{key}_body", gap="xsmall"):
            st.html(
                render(
                    "connection_facts.html.jinja",
                    connection=listed,
                    time=lambda at: format_time(at, zone),
                    incoming=_INCOMING.get(listed.kind, "Messages in"),
                    confirmed_by="the shop"
                    if listed.kind is ConnectionKind.WEBHOOKS
                    else RULES[listed.kind].label,
                    secrets=_secret_lines(listed, zone),
                    topics=", ".join(listed.topics),
                )
            )
            if listed.kind is not ConnectionKind.HELP_DESK:
                _counts(listed, key)


def _counts(listed: ListedConnection, key: str) -> None:
    """Draw the traffic of the connection, each direction with the button that opens it."""
    with st.container(horizontal=True, gap="medium", key=f"{key}_counts"):
        _direction(
            "Received",
            sum(listed.received.values()),
            _received_parts(listed),
            key,
            View(listed.id, _RECEIVED),
        )
        if listed.sends_out or any(listed.sent):
            parts = [("waiting", listed.sent.waiting), ("failed", listed.sent.failed)]
            if listed.awaited:
                parts.append(("not answered yet", listed.awaited))
            _direction("Sent", listed.sent.delivered, parts, key, View(listed.id, _SENT))


def _direction(label: str, total: int, parts: list[tuple[str, int]], key: str, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.html(
            render("connection_counts.html.jinja", label=label, total=total, parts=parts), width="content"
        )
        st.button(
            f"Show {view.list}", key=f"{key}_{view.list}_show", on_click=_show, args=(view,), type="tertiary"
        )


def _received_parts(listed: ListedConnection) -> list[tuple[str, int]]:
    parts = [(state.value, listed.received.get(state, 0)) for state in InboxState]
    return [(word, number) for word, number in parts if number or word in ("applied", "refused")]


def _direct_card(number: int) -> None:
    with st.container(key="connection_direct_card", gap=None):
        with st.container(
            key="connection_direct_band", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(
                f'<h2>{_DIRECT}</h2><div class="es-muted">api.put_order, by the role esupport_writer</div>',
                width="stretch",
            )
        with st.container(key="connection_direct_body"):
            _direction("Received", number, [], "connection_direct", View(None, _RECEIVED))


_INCOMING: Final = {
    ConnectionKind.WEBHOOKS: "Orders in",
    ConnectionKind.NOVENTIQ: "Orders in",
    ConnectionKind.STRIPE: "Messages in",
    ConnectionKind.HELP_DESK: "Look-ups",
}
_TONES: Final = {"On": "green", "In trouble": "red", "Switched off": "grey"}


def _state(listed: ListedConnection) -> str:
    if listed.switched_off_at is not None:
        return "Switched off"
    return "In trouble" if listed.in_trouble else "On"


def _secret_lines(listed: ListedConnection, zone: ZoneInfo) -> dict[str, str]:
    """Draw each secret's age, and until when the one before it remains valid."""
    lines = {}
    for purpose in RULES[listed.kind].made | RULES[listed.kind].typed:
        state, name = listed.secrets.get(purpose), connection_dialogs.secret_name(listed.kind, purpose)
        if state is None:
            lines[purpose.value] = f"no {name} yet"
            continue
        older = (
            f"; the one before is valid until {format_time(state.older_until, zone)}"
            if state.older_until
            else ""
        )
        mode = "; it is one of test mode, with which no money moves" if state.is_test else ""
        lines[purpose.value] = f"{name} of {format_time(state.since, zone)}{mode}{older}"
    return lines


def _menu(listed: ListedConnection, key: str) -> None:
    """Draw the less frequent actions."""
    choices: dict[str, Dialog[Any]] = {}  # Any: each has a subject of its own
    rule = RULES[listed.kind]
    if listed.kind is ConnectionKind.WEBHOOKS and not (listed.out_url and listed.switched_off_at is None):
        choices["Send a test event"] = connection_test.test_dialog(listed)
    if listed.kind is not ConnectionKind.WEBHOOKS and connection_test.can_be_tested(listed):
        choices["Test the connection"] = connection_test.test_dialog(listed)
    choices["What to paste where"] = connection_dialogs.guide_dialog(listed)
    for purpose in Purpose:
        if purpose in rule.made | rule.typed and (purpose is not Purpose.OUT or listed.out_url):
            choices[connection_dialogs.secret_label(listed, purpose)] = connection_dialogs.secret_dialog(
                listed, purpose
            )
    if listed.switched_off_at is None:
        choices["Switch off"] = connection_dialogs.off_dialog(listed)
    else:
        choices["Switch on"] = connection_dialogs.on_dialog(listed)
        choices["Delete"] = connection_dialogs.delete_dialog(listed)
    chosen = st.menu_button("More", list(choices), key=f"{key}_more")
    if chosen in choices:
        open_dialog(choices[chosen])


def _show(view: View | None) -> None:
    if view is None:
        st.session_state.pop(_VIEW, None)
    else:
        st.session_state[_VIEW] = view
