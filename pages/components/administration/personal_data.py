"""Deletion of a person's data: the preview, and the dialog that asks for confirmation."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.statuses import MainStatus
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    field_key,
    may_administer,
    open_dialog,
    submit,
)
from pages.components.layout.errors import field_error, showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import ROW_HEIGHT, table_height
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text, markdown_text
from pages.rendering.formatting import format_time
from services.errors import InvalidInput
from services.privacy.erasure import SHOWN, ErasurePreview, Part, erase_personal_data, preview_erasure

# The result of the last deletion and its e-mail: more than a toast can show.
_RESULT = "erasure_result"


class ErasureSubject(NamedTuple):
    """The e-mail of a person, and the preview on which the request to delete was based."""

    email: str
    preview: ErasurePreview


@fragment
def erasure() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    st.html(
        "<p>A person who asks for it has their data deleted: from their orders, from licences that they use, and "
        "wherever histories, notes, mails, saved searches and the audit log mention them. Their documents are removed. "
        "The orders remain and are counted, and later documents of the shop bring nothing back. "
        "This cannot be undone.</p>"
    )
    with st.form("erasure", border=True):
        email = st.text_input("E-mail of the person", key="erasure_email", autocomplete="off")
        error = st.empty()
        st.form_submit_button("Preview")
    viewer = current_viewer()
    if not email:
        return
    try:
        with viewer_transaction(viewer.account_id) as connection:
            preview = preview_erasure(connection, viewer, email=email)
    except InvalidInput as refusal:
        field_error(error, refusal)
        return
    if not preview.number:
        _say_nothing_is_left(email.strip())
        return
    _preview(preview, zone)
    st.button(
        "Delete personal data",
        type="primary",
        on_click=open_dialog,
        args=(_erasure_dialog(ErasureSubject(email.strip(), preview)),),
    )
    draw_dialog(Screen.PERSONAL_DATA)


def _say_nothing_is_left(email: str) -> None:
    of_email, sentence = st.session_state.get(_RESULT) or (None, "")
    if of_email == email:
        st.success(markdown_text(sentence))
    else:
        st.info(
            "No order holds personal data under this e-mail. There is nothing to delete: no order ever had it, or the "
            "person's data was deleted before."
        )


def _preview(preview: ErasurePreview, zone: ZoneInfo) -> None:
    more = f", the newest {SHOWN} of them:" if preview.number > SHOWN else ":"
    st.html(f'<span class="es-count" role="status">{_orders(preview.number)}{more}</span>')
    frame = pd.DataFrame(
        {
            "Order": [order.order_name for order in preview.orders],
            "Created": [format_time(order.created_at, zone) for order in preview.orders],
            "Status": [MainStatus(order.status).label for order in preview.orders],
            "Store": [order.store for order in preview.orders],
            "As": [order.part.label for order in preview.orders],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(preview.orders), 10),
        row_height=ROW_HEIGHT,
        alt="Orders that hold data of this person",
    )
    st.html(f"<ul>{''.join(f'<li>{line}</li>' for line in _what_happens(preview))}</ul>")


def _what_happens(preview: ErasurePreview) -> list[str]:
    """The effect on the orders, one sentence per part that the person has in them."""
    own, used, past = (preview.count(part) for part in Part)
    lines = []
    if own:
        files = f"{preview.documents:,} document{'' if preview.documents == 1 else 's'}"
        mails = f"{preview.mails:,} mail{'' if preview.mails == 1 else 's'}"
        lines.append(
            f"{_orders(own)} as customer: all personal data goes, with {files} and the text of {mails}. "
            "Mails that wait are taken back."
        )
    if used:
        lines.append(f"{_orders(used)} as licence user: their part of the order goes, the customer's stays.")
    if past:
        lines.append(
            f"{_orders(past)} whose customer had this e-mail before and has another one now: only mentions of it go. "
            "If it is the same person, delete the e-mail of today as well."
        )
    return lines


def _orders(number: int) -> str:
    return f"{number:,} order{'' if number == 1 else 's'}"


def _erasure_dialog(subject: ErasureSubject) -> Dialog[ErasureSubject]:
    return Dialog(
        Screen.PERSONAL_DATA,
        "Delete personal data",
        _confirm,
        subject,
        may=may_administer,
        after=_keep_result,
    )


def _confirm(subject: ErasureSubject) -> None:
    email, preview = subject
    st.html(
        f"<p>All data of <strong><bdi>{html_text(email)}</bdi></strong> in {_orders(preview.number)} "
        "will be deleted. This cannot be undone.</p>"
    )
    error = st.empty()
    if st.button("Delete", type="primary", key=field_key("confirm")):
        submit({"": error}, erase_personal_data, email=email, expected=preview.parts)
        st.session_state.pop(_RESULT, None)  # only reached when it was refused


def _keep_result(subject: ErasureSubject, sentence: str) -> None:
    st.session_state[_RESULT] = (subject.email, sentence)
