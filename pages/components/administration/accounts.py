"""Accounts, for administrators: the list, one account, and the dialogs that change it."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.administration import account_import
from pages.components.layout import dialogs
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import ROLE_WORDS, time_words
from services.access import Role
from services.accounts.administration import (
    Grants,
    change_account,
    create_account,
    disable_account,
    enable_account,
    end_sessions,
    reset_password,
    unlock_account,
)
from services.accounts.listing import PAGE, ListedAccount, find_accounts
from services.accounts.sign_in_methods import require_for, reset_second_factor, unbind_single_sign_on
from services.accounts.stores import ListedStore, find_stores
from services.accounts.teams import ListedTeam, find_teams
from services.authentication.second_factor import required_roles
from services.settings import settings

_NEW: Final = "create account"
_EDIT: Final = "change account"
_FACTOR: Final = "require second factor"
# (button, what happens, the service)
_SIMPLE: Final[dict[str, tuple[str, str, Any]]] = {
    "reset password": (
        "Reset password",
        "A one-time password is mailed to the account's owner, and all their sessions end. It lets in for 72 hours.",
        reset_password,
    ),
    "disable account": (
        "Disable",
        "Nobody signs in with it any more, and its sessions end at once.",
        disable_account,
    ),
    "enable account": ("Enable", "Its owner can sign in again, with the password they had.", enable_account),
    "unlock account": (
        "Unlock",
        "Five wrong passwords or codes locked it for 15 minutes. Its owner can sign in again at once.",
        unlock_account,
    ),
    "reset second factor": (
        "Reset second factor",
        "For somebody who lost their device and recovery codes: the password alone lets in until they set up another.",
        reset_second_factor,
    ),
    "unlink single sign-on": (
        "Unlink single sign-on",
        "The next sign-in through your provider with the same confirmed e-mail is linked. Its open sessions end.",
        unbind_single_sign_on,
    ),
    "end sessions": ("End all sessions", "The account is signed out everywhere.", end_sessions),
}


@fragment
def accounts() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    state, viewer = st.session_state, current_viewer()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search accounts", key="accounts_words", placeholder="Part of an e-mail or a name"
        )
        st.button("Second factor", on_click=dialogs.ask, args=(_FACTOR,))
        st.button("Import CSV", icon=":material/upload:", on_click=dialogs.ask, args=(account_import.KIND,))
        st.button("New account", type="primary", icon=":material/add:", on_click=dialogs.ask, args=(_NEW,))
    if state.get("accounts_words_before") != words:
        state.accounts_words_before, state.accounts_after = words, None
    with viewer_transaction(viewer.account_id) as connection:
        found = find_accounts(
            connection, viewer, words=words or "", after=state.get("accounts_after"), limit=PAGE + 1
        )
        all_teams, all_stores = find_teams(connection, viewer), find_stores(connection, viewer)
    if not found:
        st.info("No account matches.")
    else:
        _list(found, all_teams, all_stores, zone)
    _dialog(all_teams, all_stores)
    account_import.draw_dialog()


def _list(
    found: tuple[ListedAccount, ...],
    all_teams: tuple[ListedTeam, ...],
    all_stores: tuple[ListedStore, ...],
    zone: ZoneInfo,
) -> None:
    shown = found[:PAGE]
    team_names = {team.id: team.name for team in all_teams}
    store_names = {store.id: store.name for store in all_stores}
    frame = pd.DataFrame(
        {
            "E-mail": [one.email for one in shown],
            "Name": [one.name for one in shown],
            "Role": [ROLE_WORDS[one.role] for one in shown],
            "State": [_state(one, zone) for one in shown],
            "Teams": [", ".join(team_names[team] for team in one.teams) or None for one in shown],
            "Checkout pages": [
                "all"
                if one.all_stores or one.role is Role.ADMINISTRATOR
                else ", ".join(store_names[store] for store in one.stores) or None
                for one in shown
            ],
            "Sessions": [one.open_sessions for one in shown],
            "Created": [time_words(one.created_at, zone) for one in shown],
        }
    )
    chosen = row_table(
        "account",
        frame,
        [one.id for one in shown],
        rows_shown=12,
        alt="Accounts; choose a row to change it below",
        columns={
            "E-mail": st.column_config.TextColumn(width=230),
            "Name": st.column_config.TextColumn(width=160),
            "Role": st.column_config.TextColumn(width=120),
            "State": st.column_config.TextColumn(width=150),
            "Teams": st.column_config.TextColumn(width=180),
            "Checkout pages": st.column_config.TextColumn(width=200),
            "Sessions": st.column_config.NumberColumn(width=80),
            "Created": st.column_config.TextColumn(width=140),
        },
    )
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.session_state.get("accounts_after") is not None:
            st.button("First", on_click=_go_to, args=(None,), type="tertiary")
        if len(found) > PAGE:
            st.button("More", on_click=_go_to, args=(shown[-1].email,))
    for one in shown:
        if one.id == chosen:
            _account(one, zone)


def _account(one: ListedAccount, zone: ZoneInfo) -> None:
    with st.container(key=f"account_{one.id}_band", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<dl class="es-cells"><div class="es-cell"><dt>Account</dt><dd><bdi>{html_text(one.name)}</bdi></dd></div>'
            f'<div class="es-cell"><dt>E-mail</dt><dd><bdi>{html_text(one.email)}</bdi></dd></div>'
            f'<div class="es-cell"><dt>State</dt><dd>{html_text(_state(one, zone))}</dd></div></dl>',
            width="stretch",
        )
        st.button("Edit", on_click=dialogs.ask, args=(_EDIT,), kwargs={"one": one}, type="primary")
        kinds = ["enable account"]
        if one.disabled_at is None:
            factor = ["reset second factor"] if one.has_second_factor else []
            locked = ["unlock account"] if one.is_locked(datetime.now(UTC)) else []
            linked = ["unlink single sign-on"] if one.has_single_sign_on else []
            kinds = ["reset password", *locked, *factor, *linked, "end sessions", "disable account"]
        for kind in kinds:
            st.button(_SIMPLE[kind][0], on_click=dialogs.ask, args=(kind,), kwargs={"one": one})


def _dialog(all_teams: tuple[ListedTeam, ...], all_stores: tuple[ListedStore, ...]) -> None:
    asked = dialogs.asked()
    if asked is None:
        return
    kind = asked["kind"]
    if kind in (_NEW, _EDIT):
        title = "New account" if kind == _NEW else "Edit account"
        dialogs.show(title, _form, asked.get("one"), all_teams, all_stores, may=dialogs.ADMINISTRATORS)
    elif kind == _FACTOR:
        dialogs.show("Second factor", _factor, may=dialogs.ADMINISTRATORS)
    elif kind in _SIMPLE:
        dialogs.show(_SIMPLE[kind][0], _confirm, kind, asked["one"], may=dialogs.ADMINISTRATORS)


def _form(
    one: ListedAccount | None, all_teams: tuple[ListedTeam, ...], all_stores: tuple[ListedStore, ...]
) -> None:
    team_names = {team.id: team.name for team in all_teams}
    store_names = {store.id: store.title or store.name for store in all_stores}
    places: dict[str, Any] = {}
    with st.form("dialog_account", border=False):
        email = ""
        if one is None:
            email = st.text_input("E-mail", key=dialogs.field_key("email"), autocomplete="off")
            places["email"] = st.empty()
        else:
            st.html(f"<p><bdi>{html_text(one.email)}</bdi></p>")
        name = st.text_input("Name", value=one.name if one else "", key=dialogs.field_key("name"))
        places["name"] = st.empty()
        roles = list(Role)
        role = st.selectbox(
            "Role",
            roles,
            index=roles.index(one.role) if one else 0,
            format_func=ROLE_WORDS.__getitem__,
            key=dialogs.field_key("role"),
        )
        teams = st.multiselect(
            "Teams",
            list(team_names),
            default=[team for team in one.teams if team in team_names] if one else [],
            format_func=lambda team: team_names[team],
            key=dialogs.field_key("teams"),
            placeholder="None",
        )
        places["teams"] = st.empty()
        stores = st.multiselect(
            "Checkout pages beside those of the teams",
            list(store_names),
            default=[store for store in one.stores if store in store_names] if one else [],
            format_func=lambda store: store_names[store],
            key=dialogs.field_key("stores"),
            placeholder="None",
        )
        places["stores"] = st.empty()
        all_of_them = st.checkbox(
            "All checkout pages, later ones too",
            value=one.all_stores if one else False,
            key=dialogs.field_key("all"),
        )
        places[""] = st.empty()
        pressed = st.form_submit_button("Create account" if one is None else "Save account", type="primary")
    if not pressed:
        return
    grants = Grants(role, tuple(teams), tuple(stores), all_of_them)
    if one is None:
        dialogs.submit(places, None, create_account, email=email or "", name=name or "", grants=grants)
    else:
        dialogs.submit(places, None, change_account, one.id, name=name or "", grants=grants)


def _factor() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        required = required_roles(connection)
    st.html("<p>Everybody may use one. Whose role must and who has none sets it up at the next click.</p>")
    with st.form("dialog_factor", border=False):
        chosen = frozenset(
            role
            for role in Role
            if st.checkbox(ROLE_WORDS[role], value=role in required, key=dialogs.field_key(role))
        )
        error = st.empty()
        pressed = st.form_submit_button("Save", type="primary")
    if pressed:
        dialogs.submit({"": error}, None, require_for, roles=chosen)


def _confirm(kind: str, one: ListedAccount) -> None:
    label, what, work = _SIMPLE[kind]
    st.html(
        f"<p><strong><bdi>{html_text(one.name)}</bdi></strong>, <bdi>{html_text(one.email)}</bdi></p>"
        f"<p>{html_text(what)}</p>"
    )
    error = st.empty()
    if st.button(label, type="primary", key=dialogs.field_key("confirm")):
        dialogs.submit({"": error}, None, work, one.id)


def _state(one: ListedAccount, zone: ZoneInfo) -> str:
    if one.disabled_at is not None:
        return "Disabled"
    if one.locked_until is not None and one.is_locked(datetime.now(UTC)):
        return f"Locked until {one.locked_until.astimezone(zone):%H:%M}"
    if one.must_change_password and settings().sign_in.passwords:
        return "One-time password"
    return "Active, second factor" if one.has_second_factor else "Active"


def _go_to(after: str | None) -> None:
    st.session_state.accounts_after = after
