"""Accounts, for administrators: the list, one account, and the dialogs that change it."""

from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.administration import account_import
from pages.components.administration.account_form import edit_account_dialog, new_account_dialog
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
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import ROLE_LABELS, format_clock, format_time
from pages.rendering.templates import render
from services.access import Role
from services.accounts.administration import (
    disable_account,
    enable_account,
    end_sessions,
    reset_password,
    unlock_account,
)
from services.accounts.listing import PAGE, ListedAccount, find_accounts
from services.accounts.sign_in_methods import require_for, reset_second_factor, unbind_single_sign_on
from services.accounts.stores import find_stores
from services.accounts.teams import find_teams
from services.actions import Action
from services.authentication.second_factor import required_roles
from services.settings import settings


class Step(NamedTuple):
    """A change of one account that only needs confirmation: its button, a sentence about its effect, the action."""

    label: str
    effect: str
    action: Action[[int]]


class ConfirmSubject(NamedTuple):
    step: Step
    account: ListedAccount


_RESET_PASSWORD: Final = Step(
    "Reset password",
    "A one-time password is mailed to the account's owner, and all their sessions end. It is valid for 72 hours.",
    reset_password,
)
_DISABLE: Final = Step(
    "Disable", "Nobody can sign in with it, and its sessions end at once.", disable_account
)
_ENABLE: Final = Step("Enable", "Its owner can sign in again, with the password they had.", enable_account)
_UNLOCK: Final = Step(
    "Unlock",
    "Five wrong passwords or codes locked it for 15 minutes. Its owner can sign in again at once.",
    unlock_account,
)
_RESET_FACTOR: Final = Step(
    "Reset second factor",
    "For an owner who lost their device and recovery codes: the password is enough until they set up another.",
    reset_second_factor,
)
_UNLINK: Final = Step(
    "Unlink single sign-on",
    "The next sign-in through your provider with the same confirmed e-mail is linked. Its open sessions end.",
    unbind_single_sign_on,
)
_END_SESSIONS: Final = Step("End all sessions", "The account is signed out everywhere.", end_sessions)


@fragment
def accounts() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    state, viewer = st.session_state, current_viewer()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search_text = st.text_input(
            "Search accounts", key="accounts_words", placeholder="Part of an e-mail or a name"
        )
        st.button("Second factor", on_click=open_dialog, args=(_factor_dialog(),))
        st.button(
            "Import CSV",
            icon=":material/upload:",
            on_click=open_dialog,
            args=(account_import.import_dialog(),),
        )
        st.button(
            "New account",
            type="primary",
            icon=":material/add:",
            on_click=open_dialog,
            args=(new_account_dialog(),),
        )
    if state.get("accounts_search_before") != search_text:
        state.accounts_search_before, state.accounts_after = search_text, None
    with viewer_transaction(viewer.account_id) as connection:
        accounts = find_accounts(
            connection,
            viewer,
            search_text=search_text or "",
            after=state.get("accounts_after"),
            limit=PAGE + 1,
        )
        team_names = {team.id: team.name for team in find_teams(connection, viewer)}
        store_names = {store.id: store.name for store in find_stores(connection, viewer)}
    if not accounts:
        st.info("No account matches.")
    else:
        _list(accounts, team_names, store_names, zone)
    draw_dialog(Screen.ACCOUNTS)


def _list(
    accounts: tuple[ListedAccount, ...],
    team_names: dict[int, str],
    store_names: dict[int, str],
    zone: ZoneInfo,
) -> None:
    shown = accounts[:PAGE]
    chosen = row_table(
        "account",
        _frame(shown, team_names, store_names, zone),
        [account.id for account in shown],
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
        if len(accounts) > PAGE:
            st.button("More", on_click=_go_to, args=(shown[-1].email,))
    for account in shown:
        if account.id == chosen:
            _account(account, zone)


def _frame(
    accounts: tuple[ListedAccount, ...],
    team_names: dict[int, str],
    store_names: dict[int, str],
    zone: ZoneInfo,
) -> pd.DataFrame:
    def stores(account: ListedAccount) -> str | None:
        if account.all_stores or account.role is Role.ADMINISTRATOR:
            return "all"
        return ", ".join(store_names[store] for store in account.stores) or None

    return pd.DataFrame(
        {
            "E-mail": [account.email for account in accounts],
            "Name": [account.name for account in accounts],
            "Role": [ROLE_LABELS[account.role] for account in accounts],
            "State": [_state(account, zone) for account in accounts],
            "Teams": [", ".join(team_names[team] for team in account.teams) or None for account in accounts],
            "Checkout pages": [stores(account) for account in accounts],
            "Sessions": [account.open_sessions for account in accounts],
            "Created": [format_time(account.created_at, zone) for account in accounts],
        }
    )


def _account(account: ListedAccount, zone: ZoneInfo) -> None:
    with st.container(key=f"account_{account.id}_band", horizontal=True, vertical_alignment="center"):
        st.html(
            render("account_head.html.jinja", account=account, state=_state(account, zone)), width="stretch"
        )
        st.button("Edit", on_click=open_dialog, args=(edit_account_dialog(account),), type="primary")
        for step in _steps(account):
            st.button(step.label, on_click=open_dialog, args=(_confirm_dialog(step, account),))


def _steps(account: ListedAccount) -> list[Step]:
    """The steps that the account's state allows, in the order of their buttons."""
    if account.disabled_at is not None:
        return [_ENABLE]
    return [
        _RESET_PASSWORD,
        *([_UNLOCK] if account.is_locked(datetime.now(UTC)) else []),
        *([_RESET_FACTOR] if account.has_second_factor else []),
        *([_UNLINK] if account.has_single_sign_on else []),
        _END_SESSIONS,
        _DISABLE,
    ]


def _factor_dialog() -> Dialog[None]:
    return Dialog(Screen.ACCOUNTS, "Second factor", _factor, None, may=may_administer)


def _confirm_dialog(step: Step, account: ListedAccount) -> Dialog[ConfirmSubject]:
    return Dialog(Screen.ACCOUNTS, step.label, _confirm, ConfirmSubject(step, account), may=may_administer)


def _factor(_: None) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        required = required_roles(connection)
    st.html(
        "<p>Anyone may use a second factor. Members of the roles ticked below must set one up before they continue.</p>"
    )
    with st.form("dialog_factor", border=False):
        chosen = frozenset(
            role
            for role in Role
            if st.checkbox(ROLE_LABELS[role], value=role in required, key=field_key(role))
        )
        error = st.empty()
        pressed = st.form_submit_button("Save", type="primary")
    if pressed:
        submit({"": error}, require_for, roles=chosen)


def _confirm(subject: ConfirmSubject) -> None:
    step, account = subject
    st.html(
        f"<p><strong><bdi>{html_text(account.name)}</bdi></strong>, <bdi>{html_text(account.email)}</bdi></p>"
        f"<p>{html_text(step.effect)}</p>"
    )
    error = st.empty()
    if st.button(step.label, type="primary", key=field_key("confirm")):
        submit({"": error}, step.action, account.id)


def _state(account: ListedAccount, zone: ZoneInfo) -> str:
    if account.disabled_at is not None:
        return "Disabled"
    if account.locked_until is not None and account.is_locked(datetime.now(UTC)):
        return f"Locked until {format_clock(account.locked_until, zone)}"
    if account.must_change_password and settings().sign_in.passwords:
        return "One-time password"
    return "Active, second factor" if account.has_second_factor else "Active"


def _go_to(after: str | None) -> None:
    st.session_state.accounts_after = after
