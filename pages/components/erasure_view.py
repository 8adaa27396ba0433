"""Deleting a person's data: the preview, and the dialog that asks once more."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.engine import viewer_transaction
from pages.components import dialogs
from pages.components.errors import showing_errors
from pages.components.escape import html_text
from pages.components.order_table import ROW_HEIGHT, table_height
from pages.components.session import current_viewer, time_zone
from pages.components.words import time_words
from services.erasure import SHOWN, ErasurePreview, erase_personal_data, preview_erasure
from services.errors import InvalidInput
from services.statuses import MainStatus

_KIND = "erase personal data"


@st.fragment
def erasure() -> None:
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    st.html(
        "<p>A person who asks for it has their data deleted: from their orders, from licences that they use, from "
        "histories, documents and mails. The orders remain and are counted. This cannot be undone.</p>"
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
        st.info("No order holds personal data under this e-mail.")
        return
    _preview(preview, zone)
    st.button(
        "Delete personal data",
        type="primary",
        on_click=dialogs.ask,
        args=(_KIND,),
        kwargs={"email": email.strip(), "number": preview.number},
    )
    asked = dialogs.asked()
    if asked and asked["kind"] == _KIND:
        dialogs.show(
            "Delete personal data", _confirm, asked["email"], asked["number"], may=dialogs.ADMINISTRATORS
        )


def _preview(preview: ErasurePreview, zone: ZoneInfo) -> None:
    more = f", the newest {SHOWN} of them:" if preview.number > SHOWN else ":"
    orders_words = f"{preview.number:,} order{'' if preview.number == 1 else 's'}"
    st.html(f'<span class="es-count" role="status">{orders_words}{more}</span>')
    frame = pd.DataFrame(
        {
            "Order": [one.order_name for one in preview.orders],
            "Created": [time_words(one.created_at, zone) for one in preview.orders],
            "Status": [MainStatus(one.status).label for one in preview.orders],
            "Store": [one.store for one in preview.orders],
            "As": ["Customer" if one.is_customer else "Licence user" for one in preview.orders],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(preview.orders), 10),
        row_height=ROW_HEIGHT,
        alt="Orders that hold data of this person",
    )


def _confirm(email: str, number: int) -> None:
    st.html(
        f"<p>All data of <strong><bdi>{html_text(email)}</bdi></strong> in {number:,} "
        f"order{'' if number == 1 else 's'} will be deleted. This cannot be undone.</p>"
    )
    error = st.empty()
    if st.button("Delete", type="primary", key=dialogs.field_key("confirm")):
        dialogs.carry_out(
            _KIND,
            None,
            lambda connection: erase_personal_data(
                connection, current_viewer(), email=email, expected=number
            ),
            {"": error},
        )
