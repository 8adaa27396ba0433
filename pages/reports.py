"""Reports: what the orders of a period come to, in pictures and in numbers; a click opens the orders behind them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from db.engine import viewer_transaction
from db.replica import read
from pages.components.errors import showing_errors
from pages.components.filter_chips import filter_chips
from pages.components.order_table import ROW_HEIGHT, table_height
from pages.components.row_table import row_table
from pages.components.search_form import FormInput, fill_form, keep_form, search_form, take_input
from pages.components.session import current_viewer, time_zone
from pages.components.style import page_style
from pages.components.templates import render
from pages.components.words import day_words
from services.money import format_money
from services.order_filter import InvalidSearch, OrderFilter, SearchInput, parse_filter
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
from services.saved_searches import save_search

_PERIODS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
_PAID, _OTHER = "Paid", "Not paid, deleted, terminated"
_ORDERS: Final = "Orders"
_HOURS: Final = "Hours to close"
# What the columns about refunds and subscriptions show.
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
_DAY_LABEL: Final = "timeFormat(toDate(datum.value + 'T00:00'), '%d %b')"
_TEAL, _GREY = "#12857b", "#94a3b8"


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
        if not entered.errors:  # a day that is none is not the same as no day
            typed = with_period(typed, zone=zone, now=datetime.now(UTC))
        state.report_filter = parse_filter(typed, zone=zone, errors=entered.errors)
        state.report_errors = {}
        fill_form(state.report_filter.typed)
    except InvalidSearch as error:
        state.report_errors = dict(error.errors)


@st.fragment
def _figures(order_filter: OrderFilter) -> None:
    viewer = current_viewer()
    report = read(
        viewer.account_id, viewer.page_ids, lambda connection: get_report(connection, viewer, order_filter)
    )
    if not report.orders:
        st.info(
            "There are no orders in this period and these filters. Try a longer period, or clear the filters."
            if viewer.stores
            else "You have no stores yet, so there is nothing to count. An administrator can give you some."
        )
        return
    st.html(render("report.html.jinja", report=report, money=format_money, zone=order_filter.zone))
    _chart(report, order_filter)
    _stores(report, order_filter)
    _after_sale(report)
    with st.expander("Numbers by day"):
        _table(report.days)


def _chart(report: Report, order_filter: OrderFilter) -> None:
    currencies = [total.currency for total in report.currencies]
    shown = st.segmented_control(
        "Chart",
        [_ORDERS, *currencies],
        default=_ORDERS,
        format_func=lambda one: one if one == _ORDERS else f"Revenue, {one}",
        key="report_chart",
        label_visibility="collapsed",
    )
    frame = _order_bars(report.days) if shown in (None, _ORDERS) else _revenue_bars(report.days, str(shown))
    words = "#9aa7b8" if st.context.theme.type == "dark" else "#5b6878"
    picked = alt.selection_point(name="day", fields=["day"], on="click", clear=False)
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X(
                "day:O",
                title=None,
                axis=alt.Axis(labelOverlap=True, labelAngle=0, labelExpr=_DAY_LABEL, labelColor=words),
            ),
            y=alt.Y(
                "number:Q",
                title=None,
                axis=alt.Axis(tickCount=4, tickMinStep=1, format=",", labelColor=words),
            ),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(domain=sorted(set(frame["what"]), reverse=True), range=[_TEAL, _GREY]),
                legend=alt.Legend(orient="top", labelColor=words) if shown in (None, _ORDERS) else None,
            ),
            tooltip=[
                alt.Tooltip("day", title="Day"),
                alt.Tooltip("what", title=" "),
                alt.Tooltip("words", title="Number"),
            ],
        )
        .properties(height=220)
        .add_params(picked)
    )
    event: Any = st.altair_chart(chart, on_select="rerun", selection_mode="day", key=f"report_chart_{shown}")
    st.caption("A click on a bar opens its orders.")
    if days := event["selection"].get("day"):
        _open(day_filter(order_filter, date.fromisoformat(days[0]["day"])))


def _every_day(days: Sequence[DayTotal]) -> list[date]:
    """From the first day with an order to the last one, those without any as well."""
    first, last = days[0].day, days[-1].day
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _order_bars(days: Sequence[DayTotal]) -> pd.DataFrame:
    rows = []
    for day in _every_day(days):
        of_day = [one for one in days if one.day == day]
        paid = sum(one.paid for one in of_day)
        rows.append((day.isoformat(), _PAID, paid, f"{paid:,}"))
        other = sum(one.orders for one in of_day) - paid
        rows.append((day.isoformat(), _OTHER, other, f"{other:,}"))
    return pd.DataFrame(rows, columns=["day", "what", "number", "words"])


def _revenue_bars(days: Sequence[DayTotal], currency: str) -> pd.DataFrame:
    of_day = {one.day: one.revenue for one in days if one.currency == currency}
    rows = []
    for day in _every_day(days):
        revenue = of_day.get(day, Decimal(0))
        rows.append((day.isoformat(), "Revenue", float(revenue), format_money(revenue, currency)))
    return pd.DataFrame(rows, columns=["day", "what", "number", "words"])


def _stores(report: Report, order_filter: OrderFilter) -> None:
    st.subheader("By store", anchor=False)
    frame = pd.DataFrame(
        {
            "Store": [one.store for one in report.stores],
            "Currency": [one.currency for one in report.stores],
            "Orders": [one.orders for one in report.stores],
            "Paid": [one.paid for one in report.stores],
            "Paid share": [f"{one.paid / one.orders:.0%}" for one in report.stores],
            "Revenue": [format_money(one.revenue, one.currency) for one in report.stores],
        }
    )
    chosen = row_table(
        "report_store",
        frame,
        list(range(len(report.stores))),
        rows_shown=8,
        alt="Orders and revenue by store and currency",
        columns={
            "Paid share": st.column_config.TextColumn(alignment="right"),
            "Revenue": st.column_config.TextColumn(alignment="right"),
        },
    )
    if chosen is not None:
        st.session_state.pop("chosen_report_store", None)
        _open(store_filter(order_filter, report.stores[chosen].store))


def _after_sale(report: Report) -> None:
    """What came after the orders, by store. Numbers are numbers, so that a spreadsheet takes them as such.

    A dash stands where there was nothing to count: no refund was requested, the store sells no subscriptions.
    """
    st.subheader("Refunds and subscriptions by store", anchor=False)
    stores = report.after_sale
    if not (report.refunds.requests or report.resends or report.subscriptions.number):
        st.text("Nobody requested a refund, no licence was sent again, and there are no subscriptions.")
        return
    columns: dict[str, list[Any]] = {
        "Store": [one.store for one in stores],
        "Refund requests": [one.refunds.requests for one in stores],
        "Of the orders": [one.refunds.orders / one.orders for one in stores],
    }
    for label, name in _REFUNDS.items():
        columns[label] = [getattr(one.refunds, name) if one.refunds.requests else None for one in stores]
    columns["Licences sent again"] = [one.resends for one in stores]
    for label, name in _SUBSCRIPTIONS.items():
        columns[label] = [
            getattr(one.subscriptions, name) if one.subscriptions.number else None for one in stores
        ]
    types = dict.fromkeys(columns, "Int64") | {"Store": "str", "Of the orders": "float64", _HOURS: "Float64"}
    st.dataframe(
        pd.DataFrame({label: pd.array(values, dtype=types[label]) for label, values in columns.items()}),
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
            "Day": [day_words(one.day) for one in days],
            "Currency": [one.currency for one in days],
            "Orders": [one.orders for one in days],
            "Paid": [one.paid for one in days],
            "Revenue": [format_money(one.revenue, one.currency) for one in days],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(days), 12),
        row_height=ROW_HEIGHT,
        column_config={"Revenue": st.column_config.TextColumn(alignment="right")},
        alt="Orders and revenue by day and currency",
    )


def _open(order_filter: OrderFilter) -> None:
    """Goes to the Orders page with this search."""
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        key = save_search(connection, viewer, order_filter)
    st.switch_page("pages/orders.py", query_params={"s": key})


with showing_errors():
    page()
