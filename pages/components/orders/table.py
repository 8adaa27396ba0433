"""One page of results as a table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import streamlit as st

from db.schema.statuses import status_labels
from pages.components.layout.row_table import ROW_HEIGHT, table_height
from pages.components.layout.status_chips import TONES, table_colors
from pages.rendering.formatting import money_cells, wall_clock
from services.orders.search import OrderRow

ROWS_BESIDE_AN_ORDER = 5
ROWS_ALONE = 15


def chips_size(chips: Iterable[Sequence[str]]) -> tuple[int, int]:
    """(column width, row height) at which no chip of these cells is cut off.

    The chips are in one line where that is not much wider than usual, otherwise in two.
    """
    cells = [[_CHIP_EDGES + round(_LETTER * len(label)) for label in labels] for labels in chips]
    one_line = max((sum(cell) for cell in cells), default=0)
    if one_line <= _CHIPS_WIDTH:
        return max(_CELL_EDGES + one_line, _CHIPS_NARROWEST), ROW_HEIGHT
    two_lines = max(_two_lines(cell) for cell in cells)
    return _CELL_EDGES + two_lines, _TWO_LINES


def _two_lines(widths: Sequence[int]) -> int:
    """The narrowest width at which these chips, one after the other, fit into two lines."""
    return min(max(sum(widths[:n]), sum(widths[n:])) for n in range(1, len(widths) + 1))


# The greatest width of a chip: its padding, the gap to the next chip, and the widest average letter.
_CHIP_EDGES, _LETTER, _CELL_EDGES = 18, 6.5, 18
_CHIPS_WIDTH: Final = 204
_CHIPS_NARROWEST: Final = 120
_TWO_LINES: Final = 62

_COLUMNS: Final = pa.schema(
    [
        ("Order", pa.string()),
        ("Total", pa.string()),
        ("Status", pa.list_(pa.string())),
        ("Created", pa.timestamp("s")),
        ("Paid", pa.timestamp("s")),
        ("Name", pa.string()),
        ("Email", pa.string()),
        ("Company", pa.string()),
        ("Store", pa.string()),
    ]
)


# The statuses come next to the order, so that a phone shows both without scrolling.
_ORDER: Final = ("Order", "Status", *(name for name in _COLUMNS.names if name not in ("Order", "Status")))


def order_columns(rows: Sequence[OrderRow], zone: ZoneInfo) -> pa.Table:
    """The rows as the table shows them. Times are the viewer's wall clock; erased values read "deleted".

    It is in the form that is sent to the browser: a data frame would cost a millisecond more at every click.
    """
    return pa.table(
        {
            "Order": [row.order_name for row in rows],
            "Total": money_cells((row.total, row.currency) for row in rows),
            "Status": [status_labels(row.status, row.delivered, row.refund_status) for row in rows],
            "Created": [wall_clock(row.created_at, zone) for row in rows],
            "Paid": [wall_clock(row.paid_at, zone) for row in rows],
            "Name": [_personal(row, " ".join(filter(None, (row.first_name, row.last_name)))) for row in rows],
            "Email": [_personal(row, row.email) for row in rows],
            "Company": [_personal(row, row.company_name) for row in rows],
            "Store": [row.store for row in rows],
        },
        schema=_COLUMNS,
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen in the table, and what a click calls before the next run begins, so that one run draws everything.

    `opened` is the row of the open order, if any; `ticked` are the rows with a tick, None where nothing can be ticked.
    `on_open` gets the row of a clicked cell, or None when the click takes the choice back; `on_tick` all ticked rows.
    """

    opened: int | None
    ticked: frozenset[int] | None
    on_open: Callable[[OrderRow | None], None]
    on_tick: Callable[[Sequence[OrderRow]], None]

    def as_selection(self) -> dict[str, dict[str, list[Any]]]:
        """The form in which Streamlit has it."""
        cells = [] if self.opened is None else [(self.opened, _ORDER[0])]
        return {"selection": {"rows": sorted(self.ticked or ()), "columns": [], "cells": cells}}


def order_table(rows: Sequence[OrderRow], zone: ZoneInfo, *, key: str, choices: Choices) -> None:
    """Draw the table: a click into a cell opens the order, a tick in front of the row selects it.

    The element stays the same while rows, height and choices change: another one would be drawn anew, and the page
    would jump.
    """
    columns = order_columns(rows, zone)
    width, row_height = chips_size(columns["Status"].to_pylist())
    _select(key, rows, choices)
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        column_order=_ORDER,
        height=table_height(len(rows), ROWS_ALONE, row_height),
        row_height=row_height,
        placeholder="–",
        on_select=partial(_on_select, key, rows, choices),
        selection_mode=["single-cell"] if choices.ticked is None else ["multi-row", "single-cell"],
        alt="Orders found; choose a row to read the order below",
        column_config=_column_config(width),
    )


def _select(key: str, rows: Sequence[OrderRow], choices: Choices) -> None:
    """Mark what is chosen, where the browser does not have it so already: other rows are shown, or a button chose."""
    shown = (tuple(row.order_id for row in rows), choices.opened, choices.ticked)
    drawn_key = f"{key}_drawn"
    if st.session_state.get(drawn_key) != shown:
        st.session_state[drawn_key] = shown
        st.session_state[key] = choices.as_selection()


def _on_select(key: str, rows: Sequence[OrderRow], choices: Choices) -> None:
    selection = st.session_state[key]["selection"]
    ticked = frozenset(int(row) for row in selection["rows"])
    opened = next((int(row) for row, _ in selection["cells"]), None)
    st.session_state.pop(f"{key}_drawn", None)
    if opened != choices.opened:
        choices.on_open(None if opened is None else rows[opened])
        if opened is None:
            return  # Esc takes back everything: with an open order it closes that alone
    if choices.ticked is not None and ticked != choices.ticked:
        choices.on_tick([rows[row] for row in sorted(ticked)])


def _column_config(status_width: int) -> dict[str, Any]:
    time_format = "D MMM YYYY, HH:mm"
    return {
        # Not pinned: Streamlit draws pinned columns in a grey too pale to read.
        "Order": st.column_config.TextColumn(width=112),
        "Created": st.column_config.DatetimeColumn(width=142, format=time_format),
        "Paid": st.column_config.DatetimeColumn(width=142, format=time_format),
        "Total": st.column_config.TextColumn(width=128, alignment="right"),
        "Status": st.column_config.MultiselectColumn(
            width=status_width, options=list(TONES), color=table_colors(dark=st.context.theme.type == "dark")
        ),
        "Name": st.column_config.TextColumn(width=150),
        "Email": st.column_config.TextColumn(width=190),
        "Company": st.column_config.TextColumn(width=130),
        "Store": st.column_config.TextColumn(width=100),
    }


def _personal(row: OrderRow, value: str | None) -> str | None:
    if row.customer_erased:
        return "deleted"
    return value or None
