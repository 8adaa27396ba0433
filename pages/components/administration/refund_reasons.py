"""The reasons for refunds, for administrators."""

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
from services.refunds.reasons import LISTED_LIMIT, RefundReason, change_reason, create_reason, find_reasons


@fragment
def refund_reasons() -> None:
    with showing_errors():
        _refund_reasons()


def _refund_reasons() -> None:
    with viewer_transaction(current_viewer().account_id) as connection:
        listed = find_reasons(connection)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            "<p>Offered first when a refund is requested, in this order and for all checkout pages. "
            "Requests keep the words that they were made with.</p>",
            width="stretch",
        )
        st.button(
            "New reason", type="primary", icon=":material/add:", on_click=open_dialog, args=(_new_dialog(),)
        )
    if not listed:
        st.info("There is no reason yet. Until there is one, people type their own.")
    else:
        _list(listed)
    draw_dialog(Screen.REFUND_REASONS)


def _list(listed: tuple[RefundReason, ...]) -> None:
    chosen = row_table(
        "refund_reason",
        pd.DataFrame(
            {
                "Place": [str(number) for number, _ in enumerate(listed, 1)],
                "Reason": [reason.reason for reason in listed],
                "Offered": ["yes" if reason.in_use else "no" for reason in listed],
            }
        ),
        [reason.id for reason in listed],
        rows_shown=14,
        alt="Reasons for refunds; choose a row to change it below",
        columns={
            "Place": st.column_config.TextColumn(width=70, alignment="right"),
            "Reason": st.column_config.TextColumn(width=420),
            "Offered": st.column_config.TextColumn(width=90),
        },
    )
    for place, reason in enumerate(listed, 1):
        if reason.id == chosen:
            with st.container(horizontal=True, vertical_alignment="center", key=f"reason_{reason.id}_band"):
                st.html(f"<h2><bdi>{html_text(reason.reason)}</bdi></h2>", width="stretch")
                dialog = _edit_dialog(reason, place, len(listed))
                st.button("Edit", on_click=open_dialog, args=(dialog,), type="primary")


def _new_dialog() -> Dialog[None]:
    return Dialog(Screen.REFUND_REASONS, "New reason", _new, None, may=may_administer)


def _edit_dialog(reason: RefundReason, place: int, places: int) -> Dialog[tuple[RefundReason, int, int]]:
    return Dialog(Screen.REFUND_REASONS, "Edit reason", _edit, (reason, place, places), may=may_administer)


def _new(_: None) -> None:
    with st.form("dialog_reason", border=False):
        reason = st.text_input(
            "Reason", key=field_key("reason"), placeholder=f"At most {LISTED_LIMIT} characters"
        )
        error = st.empty()
        is_pressed = st.form_submit_button("Add reason", type="primary")
    if is_pressed:
        submit({"": error}, create_reason, reason=reason or "")


def _edit(subject: tuple[RefundReason, int, int]) -> None:
    reason, place, places = subject
    with st.form("dialog_reason", border=False):
        text = st.text_input("Reason", value=reason.reason, key=field_key("reason"))
        error = st.empty()
        position = st.number_input(
            "Place in the list", min_value=1, max_value=places, value=place, key=field_key("place")
        )
        is_in_use = st.checkbox("Offered", value=reason.in_use, key=field_key("offered"))
        is_pressed = st.form_submit_button("Save reason", type="primary")
    if is_pressed:
        submit({"": error}, change_reason, reason.id, reason=text or "", position=position, in_use=is_in_use)
