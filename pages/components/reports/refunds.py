"""The report on refunds: a table by reason, operator or store; a click opens the orders behind a row."""

from collections.abc import Callable
from typing import Final

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.connections.replica import read
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer
from services.access import Viewer
from services.money import format_money
from services.orders.filters import OrderFilter
from services.orders.saved_searches import save_search
from services.refund_report import (
    MOST_GROUPS,
    RefundGroup,
    RefundGrouping,
    get_refund_report,
    group_filter,
)

_NUMBERS: Final = {
    "Requests": "requests",
    "Open": "open",
    "Full": "full",
    "Partial": "partial",
    "Refused": "refused",
    "Failed": "failed",
}
_MEDIAN: Final = "Hours to close"
_P90: Final = "90 % within"


def refund_report(order_filter: OrderFilter, open_orders: Callable[[OrderFilter], None]) -> None:
    """Draw the report; `open_orders` goes to the Orders page with a search."""
    viewer = current_viewer()
    st.header("Refunds", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        grouping = RefundGrouping(
            st.segmented_control(
                "Refunds by",
                list(RefundGrouping),
                format_func=lambda grouping: f"By {grouping.value.lower()}",
                default=RefundGrouping.REASON,
                required=True,
                key="report_refunds_by",
                label_visibility="collapsed",
            )
            or RefundGrouping.REASON
        )
        groups = read(
            viewer.account_id,
            viewer.store_ids,
            lambda connection: get_refund_report(connection, viewer, order_filter, grouping),
        )
        if groups:
            _csv_link(viewer, order_filter, grouping)
    if not groups:
        st.text("Nobody requested a refund.")
        return
    chosen = _table(groups, grouping)
    if len(groups) == MOST_GROUPS:
        st.caption(f"The {MOST_GROUPS} largest.")
    if chosen is not None:
        st.session_state.pop(f"chosen_{_name(grouping)}", None)
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            behind = group_filter(connection, viewer, order_filter, grouping, chosen.label)
        open_orders(behind)


def _csv_link(viewer: Viewer, order_filter: OrderFilter, grouping: RefundGrouping) -> None:
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        key = save_search(connection, viewer, order_filter)
    # A link to one of the portal's own routes (pages/web/routes.py), which asks for the session and records the export.
    address = f"/export/refunds/{grouping.value.lower()}/{key}.csv"
    st.html(f'<a class="es-button" role="button" href="{address}" download>Export CSV</a>', width="content")


def _name(grouping: RefundGrouping) -> str:
    return f"report_refunds_{grouping.value.lower()}"


def _table(groups: tuple[RefundGroup, ...], grouping: RefundGrouping) -> RefundGroup | None:
    """Draw the rows; the chosen one."""
    frame = pd.DataFrame(
        {
            grouping.value: [" ".join(group.name.split()) for group in groups],
            **{label: [getattr(group, name) for group in groups] for label, name in _NUMBERS.items()},
            "Refunded": [
                "  ".join(format_money(amount, currency) for currency, amount in group.sums) or None
                for group in groups
            ],
            _MEDIAN: pd.Series([group.median_hours for group in groups], dtype="Float64"),
            _P90: pd.Series([group.p90_hours for group in groups], dtype="Float64"),
        }
    )
    hours = st.column_config.NumberColumn
    index = row_table(
        _name(grouping),
        frame,
        list(range(len(groups))),
        rows_shown=10,
        alt=f"Refund requests by {grouping.value.lower()}; choose a row to see its orders",
        columns={
            grouping.value: st.column_config.TextColumn(width=300),
            "Refunded": st.column_config.TextColumn(width=300),
            _MEDIAN: hours(format="%.1f", help="Median, from request to close"),
            _P90: hours(format="%.1f", help="Nine of ten were closed within so many hours"),
        },
    )
    return None if index is None else groups[index]
