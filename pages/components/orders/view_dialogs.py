"""The dialogs of views: save the search that is shown, change or delete a view."""

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.exports.options import export_choice
from pages.components.layout.dialogs import Dialog, Screen, field_key, submit
from pages.components.layout.session import current_viewer
from pages.components.orders import state as orders_state
from pages.components.orders.filter_chips import active_filters
from pages.rendering.escaping import html_text, label_text
from services.access import Viewer
from services.orders.filters import SearchInput
from services.views.changes import NAME_LIMIT, change_view, delete_view, save_view
from services.views.listing import find_view, find_view_teams, move_view
from services.views.models import ExportChoice, OrderView, ViewTeam

VIEWS_KEY: Final = "views"  # the tab's list of views


def save_dialog() -> Dialog[None]:
    return Dialog(Screen.ORDERS, "Save view", _save, None, may=_may, after=_forget_list)


def change_dialog(view: OrderView) -> Dialog[int]:
    return Dialog(Screen.ORDERS, "Change view", _change, view.id, may=_may, after=_forget_list)


def _may(viewer: Viewer) -> bool:
    return viewer.may_enter


def _forget_list(_subject: object, _result: str) -> None:
    st.session_state.pop(VIEWS_KEY, None)


def _save(_subject: None) -> None:
    search = orders_state.current().search
    st.html(_summary(search.typed, _present_export()))
    with st.form("dialog_view", border=False):
        name, name_error = _name_field("")
        team_id, team_error = _team_field(None)
        is_pressed = st.form_submit_button("Save view", type="primary")
    if is_pressed:
        errors = {"": team_error, "team": team_error, "name": name_error}
        submit(errors, save_view, name=name, team_id=team_id, search=search, export=_present_export())


def _change(view_id: int) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        view = find_view(connection, viewer, view_id)
    if view.typed is not None:
        st.html(_summary(view.typed, view.export))
    if view.may_change:
        _change_form(view)
    else:
        st.html('<p class="es-hint">Its author or an administrator changes this view of your team.</p>')
    _moves(view)


def _change_form(view: OrderView) -> None:
    search = orders_state.current().search
    with st.form("dialog_view", border=False):
        name, name_error = _name_field(view.name)
        team_id, team_error = _team_field(view.team)
        replaces = st.checkbox("Replace its search by the one that is shown now", key=field_key("search"))
        replaces_export = st.checkbox(
            "Replace its export by the choices of Export as", key=field_key("export")
        )
        is_pressed = st.form_submit_button("Save view", type="primary")
    errors = {"": team_error, "team": team_error, "name": name_error}
    if is_pressed:
        submit(
            errors,
            change_view,
            view.id,
            name=name,
            team_id=team_id,
            search=search if replaces else None,
            export=_present_export() if replaces_export else None,
        )


def _moves(view: OrderView) -> None:
    """The order is everybody's own, so that anybody may change it; a press leaves the dialog open."""
    error = st.empty()
    with st.container(horizontal=True, gap="small"):
        for label, up in (("Move up", True), ("Move down", False)):
            if st.button(label, key=field_key(label)):
                viewer = current_viewer()
                with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
                    move_view(connection, viewer, view.id, up=up)
                _forget_list(None, "")
        if view.may_change and st.button("Delete view", key=field_key("delete")):
            submit({"": error}, delete_view, view.id)


def _name_field(value: str) -> tuple[str, DeltaGenerator]:
    name = st.text_input(
        "Name of the view", value=value, key=field_key("name"), max_chars=NAME_LIMIT, autocomplete="off"
    )
    return name or "", st.empty()


def _team_field(team: ViewTeam | None) -> tuple[int | None, DeltaGenerator]:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        teams = find_view_teams(connection, viewer)
    titles: dict[int | None, str] = {None: "Only me"} | {t.id: f"Team {t.name}" for t in teams}
    if team is not None:
        titles.setdefault(team.id, f"Team {team.name}")
    ids = list(titles)
    chosen = st.selectbox(
        "Who has it",
        ids,
        index=ids.index(None if team is None else team.id),
        format_func=lambda id_: label_text(titles[id_]),
        key=field_key("team"),
    )
    return chosen, st.empty()


def _present_export() -> ExportChoice:
    return ExportChoice(*export_choice())


def _summary(typed: SearchInput, export: ExportChoice) -> str:
    filters = (
        ", ".join(f"<bdi>{html_text(label)}</bdi>" for label, _ in active_filters(typed)) or "All orders"
    )
    columns = f"{len(export.columns)} chosen columns" if export.columns else "all columns"
    format_name = "Excel" if export.format == "xlsx" else "CSV"
    rows = "item" if export.rows == "item" else "order"
    return (
        f"<p>{filters}</p><p class='es-hint'>Its export: {format_name}, one row per {rows}, {columns}. "
        "A named period, such as yesterday, is counted anew at each opening. Everybody finds the orders of their own "
        "stores.</p>"
    )
