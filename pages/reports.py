"""Reports: the figures of a period's orders, as charts and tables; a click opens the orders behind them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.connections.replica import read
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import ROW_HEIGHT, row_table, table_height
from pages.components.layout.session import current_viewer, time_zone
from pages.components.layout.style import page_style
from pages.components.orders.filter_chips import filter_chips
from pages.components.orders.search_form import FormInput, fill_form, keep_form, search_form, take_input
from pages.components.reports.chart import report_chart
from pages.components.reports.refunds import refund_report
from pages.rendering.formatting import money_cells
from pages.rendering.templates import render
from services.money import format_money
from services.orders.filters import InvalidSearch, OrderFilter, SearchInput, parse_filter
from services.orders.saved_searches import save_search
from services.reports import (
    DEFAULT_DAYS,
    DayTotal,
    Report,
    day_filter,
    get_report,
    last_days,
    store_filter,
    with_period,
)

_PERIODS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
_HOURS: Final = "Hours to close"
# The columns about refunds and subscriptions.
_REFUNDS: Final = {
    "Open": "open",
    "Full": "full",
    "Partial": "partial",
    "Refused": "refused",
    "Failed": "failed",
    _HOURS: "median_hours",
}
_SUBSCRIPTIONS: Final = {
    "Subscriptions active": "active",
    "Subscriptions not paid": "unpaid",
    "Subscriptions cancelled": "cancelled",
    "Cancelled here": "cancellations",
    "Resumed here": "resumptions",
}


def page() -> None:
    page_style()
    st.title("Reports", anchor=False)
    state = st.session_state
    zone, now = time_zone(), datetime.now(UTC)
    if "report_filter" not in state:
        state.report_filter = parse_filter(with_period(SearchInput(), zone=zone, now=now), zone=zone)
        state.report_errors = {}
        state.report_days_done = DEFAULT_DAYS
    if keep_form("reports"):
        fill_form(state.report_filter.typed)
        state.report_errors = {}
    if (waiting := state.pop("report_waiting", None)) is not None:
        _take_up(FormInput(waiting, {}))
    elif (entered := take_input()) is not None:
        state.report_own_days = True
        _take_up(entered)
    if state.pop("report_own_days", False):
        state.report_days = state.report_days_done = None
    state.setdefault("report_days", state.report_days_done)
    chosen = st.segmented_control(
        "Period",
        list(_PERIODS),
        format_func=_PERIODS.__getitem__,
        label_visibility="collapsed",
        key="report_days",
    )
    if chosen is not None and chosen != state.get("report_days_done"):
        state.report_days_done = chosen
        state.report_waiting = last_days(state.report_filter.typed, chosen, zone=zone, now=now)
        st.rerun()
    search_form(current_viewer(), state.report_errors, button="Show", stays_small=True)
    if state.report_errors:
        st.warning("Nothing was counted. Please check the marked fields.", icon=":material/info:")
        return
    filter_chips(state.report_filter.typed)
    _figures(state.report_filter)


def _take_up(entered: FormInput) -> None:
    state, zone = st.session_state, time_zone()
    try:
        typed = entered.typed
        if not entered.errors:  # an unreadable day is not the same as no day
            typed = with_period(typed, zone=zone, now=datetime.now(UTC))
        state.report_filter = parse_filter(typed, zone=zone, errors=entered.errors)
        state.report_errors = {}
        fill_form(state.report_filter.typed)
    except InvalidSearch as error:
        state.report_errors = dict(error.errors)


@fragment
def _figures(order_filter: OrderFilter) -> None:
    viewer = current_viewer()
    report = read(
        viewer.account_id, viewer.store_ids, lambda connection: get_report(connection, viewer, order_filter)
    )
    if not report.orders:
        st.info(
            "There are no orders in this period and these filters. Try a longer period, or clear the filters."
            if viewer.stores
            else "You have no stores yet, so there is nothing to count. An administrator can give you some."
        )
        return
    st.html(render("report.html.jinja", report=report, money=format_money, zone=order_filter.zone))
    if (day := report_chart(report)) is not None:
        _open(day_filter(order_filter, day))
    _stores(report, order_filter)
    _after_sale(report)
    _refunds(order_filter)
    with st.expander("Numbers by day"):
        _table(report.days)


@fragment
def _refunds(order_filter: OrderFilter) -> None:
    """Draw the report on refunds in a fragment, so that another grouping does not count everything again."""
    with showing_errors():
        refund_report(order_filter, _open)


def _stores(report: Report, order_filter: OrderFilter) -> None:
    st.header("By store", anchor=False)
    given_back = {(store.store, store.currency): store for store in report.given_back}
    refunded = [given_back.get((store.store, store.currency)) for store in report.stores]
    frame = pd.DataFrame(
        {
            "Store": [store.store for store in report.stores],
            "Currency": [store.currency for store in report.stores],
            "Orders": [store.orders for store in report.stores],
            "Paid": [store.paid for store in report.stores],
            "Paid share": [store.paid / store.orders for store in report.stores],
            "Revenue": money_cells((store.revenue, store.currency) for store in report.stores),
            "Refunded": money_cells(
                (back.amount if back else None, store.currency)
                for store, back in zip(report.stores, refunded, strict=True)
            ),
        }
    )
    chosen = row_table(
        "report_store",
        frame,
        list(range(len(report.stores))),
        rows_shown=8,
        alt="Orders and revenue by store and currency",
        columns={
            "Paid share": st.column_config.NumberColumn(format="percent"),
            "Revenue": st.column_config.TextColumn(alignment="right"),
            "Refunded": st.column_config.TextColumn(alignment="right"),
        },
    )
    if chosen is not None:
        st.session_state.pop("chosen_report_store", None)
        _open(store_filter(order_filter, report.stores[chosen].store))


def _after_sale(report: Report) -> None:
    """Draw the figures of refunds, licences and subscriptions, by store. Numbers stay numbers, for spreadsheets.

    A dash marks a figure without a basis: no refund was requested, the store sells no subscriptions.
    """
    st.header("Refunds and subscriptions by store", anchor=False)
    stores = report.after_sale
    if not (report.refunds.requests or report.resends or report.subscriptions.number):
        st.text("Nobody requested a refund, no licence was sent again, and there are no subscriptions.")
        return
    columns: dict[str, list[Any]] = {
        "Store": [store.store for store in stores],
        "Refund requests": [store.refunds.requests for store in stores],
        "Of the orders": [store.refunds.orders / store.orders for store in stores],
    }
    for label, name in _REFUNDS.items():
        columns[label] = [
            getattr(store.refunds, name) if store.refunds.requests else None for store in stores
        ]
    columns["Licences sent again"] = [store.resends for store in stores]
    for label, name in _SUBSCRIPTIONS.items():
        columns[label] = [
            getattr(store.subscriptions, name) if store.subscriptions.number else None for store in stores
        ]
    types = dict.fromkeys(columns, "Int64") | {"Store": "str", "Of the orders": "float64", _HOURS: "Float64"}
    st.dataframe(
        pd.DataFrame({label: pd.Series(values, dtype=types[label]) for label, values in columns.items()}),
        hide_index=True,
        height=table_height(len(stores), 8),
        row_height=ROW_HEIGHT,
        placeholder="–",
        column_config={
            "Of the orders": st.column_config.NumberColumn(format="percent"),
            _HOURS: st.column_config.NumberColumn(format="%.1f", help="Median, from request to close"),
        },
        alt="Refunds, licences sent again and subscriptions by store",
    )


def _table(days: Sequence[DayTotal]) -> None:
    frame = pd.DataFrame(
        {
            "Day": [day.day for day in days],
            "Currency": [day.currency for day in days],
            "Orders": [day.orders for day in days],
            "Paid": [day.paid for day in days],
            "Revenue": money_cells((day.revenue, day.currency) for day in days),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(days), 12),
        row_height=ROW_HEIGHT,
        column_config={
            "Day": st.column_config.DateColumn(format="D MMM YYYY"),
            "Revenue": st.column_config.TextColumn(alignment="right"),
        },
        alt="Orders and revenue by day and currency",
    )


def _open(order_filter: OrderFilter) -> None:
    """Go to the Orders page with this search."""
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        key = save_search(connection, viewer, order_filter)
    st.switch_page("pages/orders.py", query_params={"s": key})


with showing_errors():
    page()
