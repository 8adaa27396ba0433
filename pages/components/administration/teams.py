"""Teams and checkout pages, for administrators."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout import dialogs
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text, label_text
from services.accounts.listing import ListedAccount, find_accounts
from services.accounts.stores import ListedStore, change_store, find_payment_methods, find_stores
from services.accounts.teams import ListedTeam, change_team, create_team, delete_team, find_teams
from services.time_zones import time_zones

_NEW: Final = "create team"
_EDIT: Final = "change team"
_DELETE: Final = "delete team"
_STORE: Final = "change checkout page"
_MOST_MEMBERS: Final = 10_000


@fragment
def teams() -> None:
    with showing_errors():
        _teams()


def _teams() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        found, all_stores = find_teams(connection, viewer), find_stores(connection, viewer)
        people = find_accounts(connection, viewer, limit=_MOST_MEMBERS)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html("<p>Members of a team see the orders of its checkout pages.</p>", width="stretch")
        st.button("New team", type="primary", icon=":material/add:", on_click=dialogs.ask, args=(_NEW,))
    if not found:
        st.info("There is no team yet. A team gives its members the checkout pages they work on.")
    else:
        names = {store.id: store.name for store in all_stores}
        frame = pd.DataFrame(
            {
                "Team": [one.name for one in found],
                "Members": [", ".join(name for _, name in one.members) or None for one in found],
                "Checkout pages": [", ".join(names[store] for store in one.stores) or None for one in found],
            }
        )
        chosen = row_table(
            "team",
            frame,
            [one.id for one in found],
            rows_shown=12,
            alt="Teams; choose a row to change it below",
            columns={
                "Team": st.column_config.TextColumn(width=200),
                "Members": st.column_config.TextColumn(width=500),
                "Checkout pages": st.column_config.TextColumn(width=400),
            },
        )
        for one in found:
            if one.id == chosen:
                with st.container(horizontal=True, vertical_alignment="center", key=f"team_{one.id}_band"):
                    st.html(f"<h3><bdi>{html_text(one.name)}</bdi></h3>", width="stretch")
                    st.button(
                        "Edit", on_click=dialogs.ask, args=(_EDIT,), kwargs={"one": one}, type="primary"
                    )
                    st.button("Delete", on_click=dialogs.ask, args=(_DELETE,), kwargs={"one": one})
    asked = dialogs.asked()
    if asked and asked["kind"] in (_NEW, _EDIT):
        title = "New team" if asked["kind"] == _NEW else "Edit team"
        dialogs.show(title, _team_form, asked.get("one"), people, all_stores, may=dialogs.ADMINISTRATORS)
    elif asked and asked["kind"] == _DELETE:
        dialogs.show("Delete team", _delete, asked["one"], may=dialogs.ADMINISTRATORS)


def _team_form(
    one: ListedTeam | None, people: tuple[ListedAccount, ...], all_stores: tuple[ListedStore, ...]
) -> None:
    names = {person.id: f"{person.name}, {person.email}" for person in people}
    store_names = {store.id: store.title or store.name for store in all_stores}
    with st.form("dialog_team", border=False):
        name = st.text_input("Name", value=one.name if one else "", key=dialogs.field_key("name"))
        error = st.empty()
        members = st.multiselect(
            "Members",
            list(names),
            default=[member for member, _ in one.members if member in names] if one else [],
            format_func=lambda member: names[member],
            key=dialogs.field_key("members"),
            placeholder="None",
        )
        stores_of_team = st.multiselect(
            "Checkout pages",
            list(store_names),
            default=[store for store in one.stores if store in store_names] if one else [],
            format_func=lambda store: store_names[store],
            key=dialogs.field_key("stores"),
            placeholder="None",
        )
        pressed = st.form_submit_button("Create team" if one is None else "Save team", type="primary")
    if not pressed:
        return
    given: dict[str, Any] = {"name": name or "", "members": members, "stores": stores_of_team}
    if one is None:
        dialogs.submit({"": error, "name": error}, None, create_team, **given)
    else:
        dialogs.submit({"": error, "name": error}, None, change_team, one.id, **given)


def _delete(one: ListedTeam) -> None:
    st.html(
        f"<p><strong><bdi>{html_text(one.name)}</bdi></strong>: its {len(one.members)} members lose what they see "
        "through this team alone.</p>"
    )
    error = st.empty()
    if st.button("Delete team", type="primary", key=dialogs.field_key("confirm")):
        dialogs.submit({"": error}, None, delete_team, one.id)


@fragment
def stores() -> None:
    with showing_errors():
        _stores()


def _stores() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        found, methods = find_stores(connection, viewer), find_payment_methods(connection, viewer)
    if not found:
        st.info("There is no checkout page yet. Each appears with its first order.")
        return
    frame = pd.DataFrame(
        {
            "Checkout page": [one.name for one in found],
            "Display name": [one.title for one in found],
            "Delivery": ["allowed" if one.delivery_allowed else "not allowed" for one in found],
            "Another refund after a partial one": [
                "allowed" if one.refund_again_after_partial else "not allowed" for one in found
            ],
            "Refund documents": [_methods_words(one, methods) for one in found],
            "Time zone": [one.time_zone for one in found],
        }
    )
    chosen = row_table(
        "store",
        frame,
        [one.id for one in found],
        rows_shown=12,
        alt="Checkout pages; choose a row to change it below",
        columns={
            "Checkout page": st.column_config.TextColumn(width=150),
            "Display name": st.column_config.TextColumn(width=200),
            "Delivery": st.column_config.TextColumn(width=100),
            "Another refund after a partial one": st.column_config.TextColumn(width=210),
            "Refund documents": st.column_config.TextColumn(width=260),
            "Time zone": st.column_config.TextColumn(width=140),
        },
    )
    for one in found:
        if one.id == chosen:
            with st.container(horizontal=True, vertical_alignment="center", key=f"store_{one.id}_band"):
                st.html(f"<h3><bdi>{html_text(one.title or one.name)}</bdi></h3>", width="stretch")
                st.button("Edit", on_click=dialogs.ask, args=(_STORE,), kwargs={"one": one}, type="primary")
    asked = dialogs.asked()
    if asked and asked["kind"] == _STORE:
        dialogs.show("Edit checkout page", _store_form, asked["one"], methods, may=dialogs.ADMINISTRATORS)


def _store_form(one: ListedStore, methods: tuple[tuple[str, bool], ...]) -> None:
    zones = [None, *time_zones()]
    names = [name for name, _ in methods]
    default = [name for name, is_needed in methods if is_needed]
    with st.form("dialog_store", border=False):
        st.html(f'<p class="es-mono"><bdi>{html_text(one.name)}</bdi></p>')
        title = st.text_input("Display name", value=one.title or "", key=dialogs.field_key("title"))
        error = st.empty()
        delivery = st.checkbox(
            "Licences may be sent", value=one.delivery_allowed, key=dialogs.field_key("delivery")
        )
        again = st.checkbox(
            "Another refund may be requested after a partial one",
            value=one.refund_again_after_partial,
            key=dialogs.field_key("again"),
        )
        chosen = st.multiselect(
            "Refunds of these payment methods get a document",
            names,
            default=[name for name in one.refund_document_methods or () if name in names]
            if one.refund_document_methods is not None
            else default,
            format_func=label_text,
            key=dialogs.field_key("methods"),
            placeholder="None",
        )
        zone = st.selectbox(
            "Time zone",
            zones,
            index=zones.index(one.time_zone) if one.time_zone in zones else 0,
            format_func=lambda zone: zone or "None of its own",
            key=dialogs.field_key("zone"),
        )
        pressed = st.form_submit_button("Save checkout page", type="primary")
    if pressed:
        dialogs.submit(
            {"": error, "title": error},
            None,
            change_store,
            one.id,
            title=title or "",
            delivery_allowed=delivery,
            refund_again_after_partial=again,
            time_zone=zone,
            refund_document_methods=chosen,
        )


def _methods_words(one: ListedStore, methods: tuple[tuple[str, bool], ...]) -> str | None:
    if one.refund_document_methods is None:
        return ", ".join(name for name, is_needed in methods if is_needed) or None
    return ", ".join(one.refund_document_methods) or None
