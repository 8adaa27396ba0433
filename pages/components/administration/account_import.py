"""Import of accounts from a CSV file: the preview, and the button that creates them."""

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, submit
from pages.components.layout.errors import field_error
from pages.components.layout.row_table import ROW_HEIGHT, table_height
from pages.components.layout.session import current_viewer
from services.accounts.csv_import import COLUMNS, import_accounts, preview_accounts
from services.errors import InvalidInput


def import_dialog() -> Dialog[None]:
    return Dialog(Screen.ACCOUNTS, "Import accounts", _import, None, may=may_administer, width="large")


def _import(_: None) -> None:
    st.html(
        f"<p>A CSV file with the columns {', '.join(COLUMNS)}. Roles are specialist, analyst, refund operator and "
        "administrator; teams are separated by semicolons. Everybody is mailed how to sign in.</p>"
    )
    file = st.file_uploader("CSV file", type="csv", key=field_key("file"), max_upload_size=1)
    error = st.empty()
    if file is None:
        return
    content, viewer = file.getvalue(), current_viewer()
    try:
        with viewer_transaction(viewer.account_id) as connection:
            rows = preview_accounts(connection, viewer, content)
    except InvalidInput as refusal:
        field_error(error, refusal)
        return
    frame = pd.DataFrame(
        {
            "Line": [row.line for row in rows],
            "E-mail": [row.email for row in rows],
            "Name": [row.name for row in rows],
            "Role": [row.role for row in rows],
            "Teams": [", ".join(row.teams) or None for row in rows],
            "Problem": [row.problem for row in rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(rows), 8),
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="What the file asks for",
    )
    bad = sum(row.problem is not None for row in rows)
    if bad:
        field_error(
            error,
            f"{bad} of {len(rows)} lines cannot be used; see below. Correct the file and choose it again.",
        )
        return
    if st.button(f"Create {len(rows)} accounts", type="primary", key=field_key("import")):
        submit({"": error}, import_accounts, content)
