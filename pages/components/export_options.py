"""What an export holds: its rows, its columns, its format. The file itself comes from pages/routes.py."""

from urllib.parse import urlencode

import streamlit as st

from pages.components.escape import html_text
from services.order_export import ExportRows, column_titles

_ROWS = {ExportRows.ORDER: "One row an order", ExportRows.ITEM: "One row an item"}
_FORMATS = {"csv": "CSV", "xlsx": "Excel"}


def export_buttons(key: str) -> None:
    """The button that takes everything, and a popover for whoever wants it otherwise; `key` is the saved search's.

    Links that download, drawn as the buttons they are to the user: Streamlit's own download button would serve the file
    to anybody who knows its address.
    """
    st.html(
        f'<a class="es-button" role="button" href="/export/{key}.csv" download>Export CSV</a>',
        width="content",
    )
    with st.popover("Export as", icon=":material/tune:"):
        rows = st.radio(
            "Rows", list(_ROWS), format_func=_ROWS.__getitem__, key="export_rows", horizontal=True
        )
        ending = st.radio(
            "Format", list(_FORMATS), format_func=_FORMATS.__getitem__, key="export_format", horizontal=True
        )
        titles = st.multiselect(
            "Columns", column_titles(rows), key=f"export_columns_{rows}", placeholder="All columns"
        )
        asked = [("rows", rows.value)] + [("column", title) for title in titles]
        address = html_text(f"/export/{key}.{ending}?{urlencode(asked)}")
        st.html(f'<a class="es-button" role="button" href="{address}" download>Download</a>')
