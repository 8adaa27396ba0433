"""A table in which a click anywhere in a row chooses it."""

from typing import Any
from zlib import crc32

import pandas as pd
import streamlit as st

ROW_HEIGHT = 34
_HEADER = 32


def table_height(rows: int, most: int, row_height: int = ROW_HEIGHT) -> int:
    """The height in pixels of all rows, or of `most` rows and half of the next, which hints that there are more."""
    shown = rows if rows <= most else most + 0.5
    return _HEADER + round(row_height * shown) + 2


def row_table(
    name: str, frame: pd.DataFrame, ids: list[int], *, rows_shown: int, alt: str, columns: dict[str, Any]
) -> int | None:
    """Draw `frame`, whose rows are those of `ids`, inside a fragment; return the ID of the chosen row.

    The choice stays in the session under `chosen_<name>`, and is dropped when its row is no longer shown.
    """
    state = st.session_state
    chosen_key = f"chosen_{name}"
    chosen_row = ids.index(state[chosen_key]) if state.get(chosen_key) in ids else None
    table = st.dataframe(
        frame,
        # Other rows, the same in another order, or another choice begin a new selection.
        key=f"table_{name}_{crc32(repr(ids).encode()):x}_{state.get(chosen_key)}",
        hide_index=True,
        height=table_height(len(ids), rows_shown),
        row_height=ROW_HEIGHT,
        placeholder="–",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        selection_default=None if chosen_row is None else {"selection": {"rows": [chosen_row]}},
        alt=alt,
        column_config=columns,
    )
    selected = [*table["selection"]["rows"], *(row for row, _ in table["selection"]["cells"])]
    clicked = next((int(row) for row in selected if row != chosen_row), None)
    if clicked is not None:
        state[chosen_key] = ids[clicked]
        st.rerun(scope="fragment")
    return None if chosen_row is None or not selected else ids[chosen_row]
