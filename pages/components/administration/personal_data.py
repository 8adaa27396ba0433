"""Deleting a person's data: the preview, and the dialog that asks once more."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from db.connections.engine import viewer_transaction
from db.schema.audit_actions import AuditAction
from db.schema.statuses import MainStatus
from pages.components.layout import dialogs
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import ROW_HEIGHT, table_height
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text, markdown_text
from pages.rendering.formatting import time_words
from services.access import Viewer
from services.actions import ActionResult, action
from services.errors import InvalidInput
from services.privacy.erasure import SHOWN, ErasurePreview, Part, erase_personal_data, preview_erasure

_KIND = "erase personal data"
# What the last deletion said, and of which e-mail: it is more than a toast can show.
_RESULT = "erasure_result"


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
        error.html(f'<div class="es-field-error" role="alert">{html_text(refusal)}</div>')
        return
    if not preview.number:
        _say_nothing_is_left(email.strip())
        return
    _preview(preview, zone)
    st.button(
        "Delete personal data",
        type="primary",
        on_click=dialogs.ask,
        args=(_KIND,),
        kwargs={"email": email.strip(), "preview": preview},
    )
    asked = dialogs.asked()
    if asked and asked["kind"] == _KIND:
        dialogs.show(
            "Delete personal data", _confirm, asked["email"], asked["preview"], may=dialogs.ADMINISTRATORS
        )


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
            "Created": [time_words(order.created_at, zone) for order in preview.orders],
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
    """What becomes of the orders, a sentence for each part that the person has in them."""
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


def _confirm(email: str, preview: ErasurePreview) -> None:
    st.html(
        f"<p>All data of <strong><bdi>{html_text(email)}</bdi></strong> in {_orders(preview.number)} "
        "will be deleted. This cannot be undone.</p>"
    )
    error = st.empty()
    if st.button("Delete", type="primary", key=dialogs.field_key("confirm")):
        dialogs.submit({"": error}, None, _erase, email, preview)
        st.session_state.pop(_RESULT, None)  # only reached when it was refused


@action(AuditAction.ERASE_PERSONAL_DATA)
def _erase(connection: Connection, viewer: Viewer, email: str, preview: ErasurePreview) -> ActionResult:
    result = erase_personal_data(connection, viewer, email=email, expected=preview.parts)
    st.session_state[_RESULT] = (email, result.sentence)
    return result
