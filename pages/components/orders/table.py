"""One page of results as a table."""

from collections.abc import Callable, Iterable, Sequence
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


def order_table(
    rows: Sequence[OrderRow],
    zone: ZoneInfo,
    *,
    key: str,
    chosen: int | None,
    on_choice: Callable[[OrderRow | None], None],
) -> None:
    """Draw the table with row `chosen` marked.

    `on_choice` is called with another choice, or None, before the next run begins, so that one run draws everything.
    """

    def choose() -> None:
        selection = st.session_state[key]["selection"]
        # A click into a cell chooses its row as well, and does not deselect the previous row.
        picked = [int(row) for row in selection["rows"]] + [int(row) for row, _ in selection["cells"]]
        other = next((row for row in picked if row != chosen), None)
        if other is not None or not picked:
            on_choice(None if other is None else rows[other])

    columns = order_columns(rows, zone)
    width, row_height = chips_size(columns["Status"].to_pylist())
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        column_order=_ORDER,
        height=table_height(len(rows), ROWS_ALONE, row_height),
        row_height=row_height,
        placeholder="–",
        on_select=choose,
        selection_mode=["single-row", "single-cell"],
        selection_default=None if chosen is None else {"selection": {"rows": [chosen]}},
        alt="Orders found; choose a row to read the order below",
        column_config=_column_config(width),
    )


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
