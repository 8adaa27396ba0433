"""The choices of an export: its rows, its columns, its format. The file itself comes from pages/web/routes.py."""

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages.components.exports.progress import follow
from services.exports.columns import ExportRows, column_titles

_ROWS = {ExportRows.ORDER: "One row per order", ExportRows.ITEM: "One row per item"}
_FORMATS = {"csv": "CSV", "xlsx": "Excel"}
# A real link that looks like a button: Streamlit's own download button would serve the file to anybody who knows its
# address, and a button that asks the server first would start the download a moment later.
_link = st.components.v2.component(
    "esupport_export_link",
    html='<a class="es-button" role="button" download><span></span><kbd aria-hidden="true" hidden></kbd></a>',
    js=(Path(__file__).parents[2] / "static" / "export_link.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def export_buttons(key: str) -> None:
    """Draw a button that exports everything and a popover with other choices; `key` is that of the saved search."""
    _draw_link("Export CSV", f"/export/{key}.csv", key="export_all", shortcut="Ctrl + Shift + E")
    popover = st.popover("Export as", icon=":material/tune:", key="export_as", on_change="rerun")
    if popover.open:
        with popover:
            _options(key)


def export_choice() -> tuple[str, str, tuple[str, ...]]:
    """The rows, the format and the columns that are chosen at present; no columns mean all of them."""
    state = st.session_state
    rows = ExportRows(state.get("export_rows") or ExportRows.ORDER)
    return rows.value, state.get("export_format") or "csv", tuple(state.get(_columns_key(rows)) or ())


def choose_export(rows: str, ending: str, columns: Collection[str]) -> None:
    """Make these the present choices, as far as they exist; empty ones are the first of each."""
    chosen = ExportRows(rows) if rows in set(ExportRows) else ExportRows.ORDER
    st.session_state["export_rows"] = chosen
    st.session_state["export_format"] = ending if ending in _FORMATS else "csv"
    st.session_state[_columns_key(chosen)] = [title for title in column_titles(chosen) if title in columns]


def _columns_key(rows: ExportRows) -> str:
    return f"export_columns_{rows}"


def _options(key: str) -> None:
    rows = st.radio(
        "Rows",
        list(_ROWS),
        format_func=_ROWS.__getitem__,
        key="export_rows",
        horizontal=True,
        persist_state="session",
    )
    ending = st.radio(
        "Format",
        list(_FORMATS),
        format_func=_FORMATS.__getitem__,
        key="export_format",
        horizontal=True,
        persist_state="session",
    )
    titles = st.multiselect(
        "Columns",
        column_titles(rows),
        key=_columns_key(rows),
        placeholder="All columns",
        persist_state="session",
    )
    asked = [("rows", rows.value)] + [("column", title) for title in titles]
    _draw_link("Download", f"/export/{key}.{ending}?{urlencode(asked)}", key="export_chosen")


def _draw_link(label: str, address: str, *, key: str, shortcut: str | None = None) -> None:
    result = _link(
        key=key,
        data={"label": label, "address": address, "shortcut": shortcut},
        width="content",
        on_started_change=lambda: None,
    )
    if result.started:
        follow(result.started)
