"""Teams, for administrators."""

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    field_key,
    may_administer,
    open_dialog,
    submit,
)
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from services.accounts.stores import find_stores
from services.accounts.teams import (
    ListedTeam,
    change_team,
    create_team,
    delete_team,
    find_people,
    find_teams,
)


@fragment
def teams() -> None:
    with showing_errors():
        _teams()


def _teams() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        listed = find_teams(connection, viewer)
        store_names = {store.id: store.name for store in find_stores(connection, viewer)}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html("<p>Members of a team see the orders of its checkout pages.</p>", width="stretch")
        st.button(
            "New team", type="primary", icon=":material/add:", on_click=open_dialog, args=(_new_dialog(),)
        )
    if not listed:
        st.info("There is no team yet. A team gives its members the checkout pages they work on.")
    else:
        _list(listed, store_names)
    draw_dialog(Screen.TEAMS)


def _list(teams: tuple[ListedTeam, ...], store_names: dict[int, str]) -> None:
    frame = pd.DataFrame(
        {
            "Team": [team.name for team in teams],
            "Members": [", ".join(name for _, name in team.members) or None for team in teams],
            "Checkout pages": [
                ", ".join(store_names[store] for store in team.stores) or None for team in teams
            ],
        }
    )
    chosen = row_table(
        "team",
        frame,
        [team.id for team in teams],
        rows_shown=12,
        alt="Teams; choose a row to change it below",
        columns={
            "Team": st.column_config.TextColumn(width=200),
            "Members": st.column_config.TextColumn(width=500),
            "Checkout pages": st.column_config.TextColumn(width=400),
        },
    )
    for team in teams:
        if team.id == chosen:
            with st.container(horizontal=True, vertical_alignment="center", key=f"team_{team.id}_band"):
                st.html(f"<h2><bdi>{html_text(team.name)}</bdi></h2>", width="stretch")
                st.button("Edit", on_click=open_dialog, args=(_edit_dialog(team),), type="primary")
                st.button("Delete", on_click=open_dialog, args=(_delete_dialog(team),))


def _new_dialog() -> Dialog[ListedTeam | None]:
    return Dialog(Screen.TEAMS, "New team", _form, None, may=may_administer)


def _edit_dialog(team: ListedTeam) -> Dialog[ListedTeam | None]:
    return Dialog(Screen.TEAMS, "Edit team", _form, team, may=may_administer)


def _delete_dialog(team: ListedTeam) -> Dialog[ListedTeam]:
    return Dialog(Screen.TEAMS, "Delete team", _delete, team, may=may_administer)


def _form(team: ListedTeam | None) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        names = {person.id: f"{person.name}, {person.email}" for person in find_people(connection, viewer)}
        store_names = {store.id: store.title or store.name for store in find_stores(connection, viewer)}
    with st.form("dialog_team", border=False):
        name = st.text_input("Name", value=team.name if team else "", key=field_key("name"))
        error = st.empty()
        members = st.multiselect(
            "Members",
            list(names),
            default=[member for member, _ in team.members if member in names] if team else [],
            format_func=names.__getitem__,
            key=field_key("members"),
            placeholder="None",
        )
        stores = st.multiselect(
            "Checkout pages",
            list(store_names),
            default=[store for store in team.stores if store in store_names] if team else [],
            format_func=store_names.__getitem__,
            key=field_key("stores"),
            placeholder="None",
        )
        is_pressed = st.form_submit_button("Create team" if team is None else "Save team", type="primary")
    if not is_pressed:
        return
    if team is None:
        submit({"": error}, create_team, name=name or "", members=members, stores=stores)
    else:
        submit({"": error}, change_team, team.id, name=name or "", members=members, stores=stores)


def _delete(team: ListedTeam) -> None:
    st.html(
        f"<p><strong><bdi>{html_text(team.name)}</bdi></strong>: its {len(team.members)} members lose what they see "
        "through this team alone.</p>"
    )
    error = st.empty()
    if st.button("Delete team", type="primary", key=field_key("confirm")):
        submit({"": error}, delete_team, team.id)
