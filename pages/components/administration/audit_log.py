"""The audit log, for administrators."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.day_field import day_field
from pages.components.layout.errors import field_error, showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import ROW_HEIGHT, table_height
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_time
from services.audit.log import PAGE, AuditRow, find_actions, find_audit, read_audit_filter, seal_audit_filter
from services.authentication.user_agents import describe_user_agent
from services.errors import InvalidInput

_ALL = "All actions"


@fragment
def audit() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        actions = find_actions(connection, viewer)
    entered, errors = _form(actions)
    try:
        wanted = read_audit_filter(entered, zone=zone)
    except InvalidInput as error:
        # Only the error: rows of an earlier search would look like results of this one.
        field_error(errors[error.field or ""], error)
        st.warning("Nothing was searched. Please check the marked field.", icon=":material/info:")
        return
    before = st.session_state.get("audit_before")
    with viewer_transaction(viewer.account_id) as connection:
        rows = find_audit(connection, viewer, wanted, before=before, limit=PAGE + 1)
    if not rows:
        st.info("Nothing in the log matches.")
        return
    _table(rows[:PAGE], zone)
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    ):
        st.html(f'<span class="es-zone">times in {html_text(zone.key)}</span>', width="stretch")
        # A link to one of the portal's own routes (pages/web/routes.py), which sends the file while it is made.
        address = f"/export/audit-log/{seal_audit_filter(viewer, entered, zone=zone)}.csv"
        st.html(
            f'<a class="es-button" role="button" href="{address}" download>Export CSV</a>', width="content"
        )
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(rows) > PAGE:
            st.button("Older", on_click=_go_to, args=(rows[PAGE - 1].id,))


def _form(actions: tuple[str, ...]) -> tuple[dict[str, str], Mapping[str, DeltaGenerator]]:
    """The values of the fields by name, and the elements for errors below them."""
    columns = st.columns([1.4, 1.2, 1, 1, 1, 0.9], vertical_alignment="top", gap="small")
    with columns[0]:
        account = st.text_input(
            "Account", key="audit_account", placeholder="Part of an e-mail", on_change=_first
        )
    with columns[1]:
        action = st.selectbox("Action", [_ALL, *actions], key="audit_action", on_change=_first)
    with columns[2]:
        order = st.text_input("Order", key="audit_order", placeholder="Its number", on_change=_first)
    with columns[3]:
        since = day_field("From", key="audit_since", on_change=_first)
    with columns[4]:
        until = day_field("To", key="audit_until", on_change=_first)
    with columns[5]:
        st.html('<div class="es-label-gap"></div>')
        refused = st.checkbox("Refused only", key="audit_refused", on_change=_first)
    entered = {
        "account": account or "",
        "action": "" if action in (None, _ALL) else str(action),
        "order": order or "",
        "since": since,
        "until": until,
        "refused": "yes" if refused else "",
    }
    names = ("account", "action", "order", "since", "until", "refused")
    return entered, {name: column.empty() for name, column in zip(names, columns, strict=True)} | {
        "": st.empty()
    }


def _table(rows: tuple[AuditRow, ...], zone: ZoneInfo) -> None:
    frame = pd.DataFrame(
        {
            "Time": [format_time(row.at, zone) for row in rows],
            "Account": [row.account_email for row in rows],
            "Action": [row.action for row in rows],
            "Result": [["Done" if row.succeeded else "Refused"] for row in rows],
            "Order": [str(row.order_id) if row.order_id else None for row in rows],
            "Address": [row.address for row in rows],
            "Details": [_details(row) for row in rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(rows), 18),
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
    return describe_user_agent(str(browser)) if browser else row.details_text or None


def _first() -> None:
    _go_to(None)


def _go_to(before: int | None) -> None:
    st.session_state.audit_before = before
