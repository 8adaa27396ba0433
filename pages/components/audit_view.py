"""The audit log, for administrators."""

from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.engine import viewer_transaction
from pages.components.errors import showing_errors
from pages.components.order_table import ROW_HEIGHT, table_height
from pages.components.session import client_address, current_viewer, session_token, time_zone
from pages.components.words import time_words
from services.audit_log import (
    PAGE,
    AuditFilter,
    AuditRow,
    export_audit,
    find_actions,
    find_audit,
    record_audit_export,
)
from services.browsers import browser_words
from services.errors import InvalidInput, NotAllowed
from services.sign_in import viewer_of_token

_ALL = "All actions"


@st.fragment
def audit() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        actions = find_actions(connection, viewer)
    wanted = _form(actions, zone)
    before = st.session_state.get("audit_before")
    with viewer_transaction(viewer.account_id) as connection:
        found = find_audit(connection, viewer, wanted, before=before, limit=PAGE + 1)
    if not found:
        st.info("Nothing in the log matches.")
        return
    _table(found[:PAGE], zone)
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    ):
        st.html(f'<span class="es-zone">times in {zone.key}</span>', width="stretch")
        st.download_button(
            "Export CSV",
            partial(_csv, wanted, session_token(), client_address()),
            file_name="audit-log.csv",
            mime="text/csv",
            on_click="ignore",
        )
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(found) > PAGE:
            st.button("Older", on_click=_go_to, args=(found[PAGE - 1].id,))


def _form(actions: tuple[str, ...], zone: ZoneInfo) -> AuditFilter:
    columns = st.columns([1.4, 1.2, 1, 1, 1, 0.9], vertical_alignment="bottom", gap="small")
    account = columns[0].text_input(
        "Account", key="audit_account", placeholder="Part of an e-mail", on_change=_first
    )
    action = columns[1].selectbox("Action", [_ALL, *actions], key="audit_action", on_change=_first)
    order = columns[2].text_input("Order", key="audit_order", placeholder="Its number", on_change=_first)
    since = columns[3].date_input(
        "From", value=None, key="audit_since", format="DD/MM/YYYY", on_change=_first
    )
    until = columns[4].date_input("To", value=None, key="audit_until", format="DD/MM/YYYY", on_change=_first)
    refused = columns[5].checkbox("Refused only", key="audit_refused", on_change=_first)
    digits = "".join(c for c in order or "" if c.isascii() and c.isdigit())
    if order and (not digits or len(digits) > 18):
        raise InvalidInput("An order is looked for by its number.", field="order")
    return AuditFilter(
        zone,
        account=account or "",
        action=None if action in (None, _ALL) else action,
        order_id=int(digits) if digits else None,
        since=since,
        until=until,
        refused_only=refused,
    )


def _table(found: tuple[AuditRow, ...], zone: ZoneInfo) -> None:
    frame = pd.DataFrame(
        {
            "Time": [time_words(row.at, zone) for row in found],
            "Account": [row.account_email for row in found],
            "Action": [row.action for row in found],
            "Result": [["Done" if row.succeeded else "Refused"] for row in found],
            "Order": [str(row.order_id) if row.order_id else None for row in found],
            "Address": [row.address for row in found],
            "Details": [_details(row) for row in found],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(found), 18),
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="The audit log, newest first",
        column_config={
            "Time": st.column_config.TextColumn(width=140),
            "Account": st.column_config.TextColumn(width=190),
            "Action": st.column_config.TextColumn(width=160),
            "Result": st.column_config.MultiselectColumn(
                width=90, options=["Done", "Refused"], color=["green", "red"]
            ),
            "Order": st.column_config.TextColumn(width=100),
            "Address": st.column_config.TextColumn(width=120),
            "Details": st.column_config.TextColumn(width=460),
        },
    )


def _details(row: AuditRow) -> str | None:
    browser = row.details.get("browser")
    return browser_words(browser) if browser else row.details_text or None


# Years of a busy log, read in one statement.
_EXPORT_SECONDS = 300


def _csv(wanted: AuditFilter, token: str, address: str | None) -> bytes:
    """Made when the button is pressed, which is outside any run of the script: the session is looked at again."""
    viewer = viewer_of_token(token)
    if viewer is None or not viewer.may_enter:
        raise NotAllowed
    with viewer_transaction(viewer.account_id, longest_seconds=_EXPORT_SECONDS) as connection:
        record_audit_export(connection, viewer, wanted, address=address)
        return b"\xef\xbb\xbf" + "".join(export_audit(connection, viewer, wanted)).encode()


def _first() -> None:
    _go_to(None)


def _go_to(before: int | None) -> None:
    st.session_state.audit_before = before
