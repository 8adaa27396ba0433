"""The page that `bench.clicks` compares the portal with: a Streamlit page of the same size with constant data.

A form with as many fields, a table with the same columns and fifty constant rows, an order as one piece of HTML (the
file that PLAIN_ORDER names), and a dialog without effect.
"""

import os
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import streamlit as st

ROWS = 50
ROW_HEIGHT, HEADER, SHOWN = 34, 36, 15
STATUSES = ["Not paid", "Paid", "Deleted", "Terminated", "Delivered", "Not delivered"]
FRAME = pd.DataFrame(
    {
        "Order": [f"A{number:010}" for number in range(ROWS)],
        "Total": ["EUR 49.00"] * ROWS,
        "Status": [["Paid", "Delivered"]] * ROWS,
        "Created": pd.Series([pd.Timestamp("2026-11-01 12:00")] * ROWS, dtype="datetime64[s]"),
        "Paid": pd.Series([pd.Timestamp("2026-11-01 12:05")] * ROWS, dtype="datetime64[s]"),
        "Name": ["Luís Gonçalves"] * ROWS,
        "Email": [f"luis.{number}@example.com" for number in range(ROWS)],
        "Company": [None] * ROWS,
        "Store": ["bench-1"] * ROWS,
    }
)
ORDER = Path(os.environ["PLAIN_ORDER"]).read_text(encoding="utf-8")


def form() -> bool:
    with st.form("plain"):
        row = st.columns([1.25, 1.25, 1, 1.25, 0.62])
        row[0].text_area("Order IDs", height=68)
        for column, label in zip(row[1:4], ("Email", "Phone Number", "Activation code"), strict=True):
            column.text_input(label)
        is_pressed = row[4].form_submit_button("Find", type="primary")
        with st.expander("More"):
            for column, number in zip(st.columns(4), range(4), strict=True):
                column.date_input(f"Date {number}", value=None)
            for column, number in zip(st.columns(5), range(5), strict=True):
                column.text_input(f"Text {number}")
            for column, group in zip(st.columns(3), range(3), strict=True):
                for number in range((4, 2, 4)[group]):
                    column.checkbox(f"Status {group} {number}")
            st.multiselect("Store", ["bench-1", "bench-2", "bench-3"])
            st.selectbox("Subscription", ["Any", "With", "Activated", "Deactivated"])
    return bool(is_pressed)


@st.dialog("Plain")
def dialog() -> None:
    with st.form("dialog", border=False):
        st.text_area("Note")
        pressed = st.form_submit_button("Save note", type="primary")
    if pressed:
        st.session_state.message = "Nothing was done."
        st.rerun()


@st.fragment
def results() -> None:
    st.html(f'<span class="es-count">{ROWS} orders</span>')
    time_format = "D MMM YYYY, HH:mm"
    table = st.dataframe(
        FRAME,
        key=f"plain_{st.session_state.number}",
        hide_index=True,
        height=HEADER + ROW_HEIGHT * SHOWN + 2,
        row_height=ROW_HEIGHT,
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        column_config={
            "Order": st.column_config.TextColumn(width=112, pinned=True),
            "Created": st.column_config.DatetimeColumn(width=142, format=time_format),
            "Paid": st.column_config.DatetimeColumn(width=142, format=time_format),
            "Total": st.column_config.TextColumn(width=110, alignment="right"),
            "Status": st.column_config.MultiselectColumn(width=250, options=STATUSES),
            "Name": st.column_config.TextColumn(width=150),
            "Email": st.column_config.TextColumn(width=190),
            "Company": st.column_config.TextColumn(width=130),
            "Store": st.column_config.TextColumn(width=100),
        },
    )
    if table["selection"]["rows"] or table["selection"]["cells"]:
        st.html(ORDER)
        st.button("Add note", on_click=lambda: st.session_state.update(open=True))
    if st.session_state.pop("open", None):
        dialog()


st.set_page_config(layout="wide")
st.session_state.setdefault("number", 0)
if message := st.session_state.pop("message", None):
    st.toast(message, duration="long")
st.title("Plain")
if form():
    st.session_state.number += 1
results()
