"""The table of the refund queue."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.schema.statuses import RefundStatus
from pages.components.layout.row_table import row_table
from pages.components.layout.status_chips import AWAITED, OVERDUE, TONES, UNAPPROVED, table_colors
from pages.rendering.formatting import format_age, money_cells, wall_clock
from services.refunds.queue import QueueRow, QueueView


def queue_table(
    rows: tuple[QueueRow, ...], view: QueueView, zone: ZoneInfo, *, is_beside: bool
) -> QueueRow | None:
    """Draw the table; the chosen request. Beside a request, what that one shows is left out."""
    now = datetime.now(UTC)
    statuses = [request_statuses(row, now) for row in rows]
    frame = pd.DataFrame(
        {
            "Order": [row.order_name for row in rows],
            "Age": [format_age(row.request.requested_at, now) for row in rows],
            "Total": money_cells((row.total, row.currency) for row in rows),
            "Refunded": money_cells(
                (row.request.amount, row.request.currency or row.currency) for row in rows
            ),
            "Status": statuses,
            "Requested by": [row.request.requester_name for row in rows],
            "Taken by": [row.request.taken_by_name for row in rows],
            "Closed": [wall_clock(row.request.closed_at, zone) for row in rows],
            "Reason": [" ".join(row.request.reason.split()) for row in rows],
            "Store": [row.store for row in rows],
        }
    )
    left_out = ["Age"] if view is QueueView.CLOSED else ["Closed", "Refunded"]
    left_out += ["Requested by"] if is_beside else []
    left_out += ["Taken by"] if view is QueueView.MINE else []
    chosen = row_table(
        "refund_request",
        frame.drop(columns=left_out),
        [row.request.id for row in rows],
        rows_shown=10 if is_beside else 16,
        alt="Refund requests; choose a row to work on it",
        columns={
            "Order": st.column_config.TextColumn(width=112),
            "Age": st.column_config.TextColumn(width=70, alignment="right"),
            "Total": st.column_config.TextColumn(width=128, alignment="right"),
            "Refunded": st.column_config.TextColumn(width=128, alignment="right"),
            "Status": st.column_config.MultiselectColumn(
                width=_status_width(statuses),
                options=list(TONES),
                color=table_colors(dark=st.context.theme.type == "dark"),
            ),
            "Requested by": st.column_config.TextColumn(width=140),
            "Taken by": st.column_config.TextColumn(width=120),
            "Closed": st.column_config.DatetimeColumn(width=142, format="D MMM YYYY, HH:mm"),
            "Reason": st.column_config.TextColumn(width=280),
            "Store": st.column_config.TextColumn(width=100),
        },
    )
    return next((row for row in rows if row.request.id == chosen), None)


def request_statuses(row: QueueRow, now: datetime) -> list[str]:
    """The request's status, what the refund waits for, and whether it is overdue."""
    status = [RefundStatus(row.request.status).label]
    return [
        *([OVERDUE] if row.is_overdue(now) else []),
        *status,
        *([AWAITED] if row.is_awaited else []),
        *([UNAPPROVED] if row.request.waits_for_approval else []),
    ]


def _status_width(statuses: list[list[str]]) -> int:
    """Enough for the widest cell, so that no status is cut off."""
    widths = {OVERDUE: 75, AWAITED: 135, UNAPPROVED: 120}
    return 200 + max(sum(widths.get(status, 0) for status in cell) for cell in statuses)
