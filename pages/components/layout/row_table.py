"""A table of which one row can be chosen, by a click anywhere in it."""

from typing import Any

import pandas as pd
import streamlit as st

ROW_HEIGHT = 34
_HEADER = 32


def table_height(rows: int, most: int, row_height: int = ROW_HEIGHT) -> int:
    """As high as its rows, or as `most` of them and half of the next one, which says that there is more."""
    shown = rows if rows <= most else most + 0.5
    return _HEADER + round(row_height * shown) + 2


def row_table(
    name: str, frame: pd.DataFrame, ids: list[int], *, rows_shown: int, alt: str, columns: dict[str, Any]
) -> int | None:
    """Draws `frame`, whose rows stand for `ids`, inside a fragment; the ID of the row that is chosen.

    The choice is kept in the session under `chosen_<name>`, and forgotten when its row is not shown any more.
    """
    state = st.session_state
    kept = f"chosen_{name}"
    place = ids.index(state[kept]) if state.get(kept) in ids else None
    given = st.dataframe(
        frame,
        # Another set of rows, or another choice, begins a new selection.
        key=f"table_{name}_{ids[0]}_{len(ids)}_{state.get(kept)}",
        hide_index=True,
        height=table_height(len(ids), rows_shown),
        row_height=ROW_HEIGHT,
        placeholder="–",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        selection_default=None if place is None else {"selection": {"rows": [place]}},
        alt=alt,
        column_config=columns,
    )
    picked = [*given["selection"]["rows"], *(row for row, _ in given["selection"]["cells"])]
    other = next((int(row) for row in picked if row != place), None)
    if other is not None:
        state[kept] = ids[other]
        st.rerun(scope="fragment")
    return None if place is None or not picked else ids[place]
