"""The dialog that creates or changes an account."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from pages.rendering.formatting import ROLE_LABELS
from services.access import Role
from services.accounts.administration import Grants, change_account, create_account
from services.accounts.listing import ListedAccount
from services.accounts.stores import find_stores
from services.accounts.teams import find_teams


class _Entry(NamedTuple):
    """The entries of the form. `email` is empty for an existing account: it cannot be changed."""

    email: str
    name: str
    grants: Grants


def new_account_dialog() -> Dialog[ListedAccount | None]:
    return Dialog(Screen.ACCOUNTS, "New account", _draw, None, may=may_administer)


def edit_account_dialog(account: ListedAccount) -> Dialog[ListedAccount | None]:
    return Dialog(Screen.ACCOUNTS, "Edit account", _draw, account, may=may_administer)


def _draw(account: ListedAccount | None) -> None:
    errors: dict[str, DeltaGenerator] = {}
    with st.form("dialog_account", border=False):
        entry = _fields(account, errors)
        errors[""] = st.empty()
        is_pressed = st.form_submit_button(
            "Create account" if account is None else "Save account", type="primary"
        )
    if not is_pressed:
        return
    if account is None:
        submit(errors, create_account, email=entry.email, name=entry.name, grants=entry.grants)
    else:
        submit(errors, change_account, account.id, name=entry.name, grants=entry.grants)


def _fields(account: ListedAccount | None, errors: dict[str, DeltaGenerator]) -> _Entry:
    """Draw the fields, each with room for its error below."""
    email = ""
    if account is None:
        email = st.text_input("E-mail", key=field_key("email"), autocomplete="off") or ""
        errors["email"] = st.empty()
    else:
        st.html(f"<p><bdi>{html_text(account.email)}</bdi></p>")
    name = st.text_input("Name", value=account.name if account else "", key=field_key("name"))
    errors["name"] = st.empty()
    roles = list(Role)
    role = st.selectbox(
        "Role",
        roles,
        index=roles.index(account.role) if account else 0,
        format_func=ROLE_LABELS.__getitem__,
        key=field_key("role"),
    )
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        team_names = {team.id: team.name for team in find_teams(connection, viewer)}
        store_names = {store.id: store.title or store.name for store in find_stores(connection, viewer)}
    teams = _choice("Teams", "teams", team_names, account.teams if account else ())
    errors["teams"] = st.empty()
    stores = _choice(
        "Checkout pages beside those of the teams", "stores", store_names, account.stores if account else ()
    )
    errors["stores"] = st.empty()
    all_stores = st.checkbox(
        "All checkout pages, later ones too",
        value=account.all_stores if account else False,
        key=field_key("all"),
    )
    return _Entry(email, name or "", Grants(role, teams, stores, all_stores))


def _choice(label: str, key: str, names: dict[int, str], chosen: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        st.multiselect(
            label,
            list(names),
            default=[id_ for id_ in chosen if id_ in names],
            format_func=names.__getitem__,
            key=field_key(key),
            placeholder="None",
        )
    )
