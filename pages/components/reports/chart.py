"""The chart of a report: orders or revenue by day."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from services.money import format_money
from services.reports import DayTotal, Report

_PAID, _OTHER = "Paid", "Not paid, deleted, terminated"
_ORDERS: Final = "Orders"
_DAY_LABEL: Final = "timeFormat(toDate(datum.value + 'T00:00'), '%d %b')"
_TEAL, _GREY = "#12857b", "#94a3b8"


def report_chart(report: Report) -> date | None:
    """Draw the bars of the days; return the day that was clicked on."""
    currencies = [total.currency for total in report.currencies]
    shown = st.segmented_control(
        "Chart",
        [_ORDERS, *currencies],
        default=_ORDERS,
        format_func=lambda series: series if series == _ORDERS else f"Revenue, {series}",
        key="report_chart",
        label_visibility="collapsed",
    )
    frame = _order_bars(report.days) if shown in (None, _ORDERS) else _revenue_bars(report.days, str(shown))
    label_colour = "#9aa7b8" if st.context.theme.type == "dark" else "#5b6878"
    picked = alt.selection_point(name="day", fields=["day"], on="click", clear=False)
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X(
                "day:O",
                title=None,
                axis=alt.Axis(labelOverlap=True, labelAngle=0, labelExpr=_DAY_LABEL, labelColor=label_colour),
            ),
            y=alt.Y(
                "number:Q",
                title=None,
                axis=alt.Axis(tickCount=4, tickMinStep=1, format=",", labelColor=label_colour),
            ),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(domain=sorted(set(frame["what"]), reverse=True), range=[_TEAL, _GREY]),
                legend=alt.Legend(orient="top", labelColor=label_colour)
                if shown in (None, _ORDERS)
                else None,
            ),
            tooltip=[
                alt.Tooltip("day", title="Day"),
                alt.Tooltip("what", title=" "),
                alt.Tooltip("label", title="Number"),
            ],
        )
        .properties(height=220)
        .add_params(picked)
    )
    event: Any = st.altair_chart(chart, on_select="rerun", selection_mode="day", key=f"report_chart_{shown}")
    st.caption("A click on a bar opens its orders.")
    days = event["selection"].get("day")
    return date.fromisoformat(days[0]["day"]) if days else None


def _every_day(days: Sequence[DayTotal]) -> list[date]:
    """All days from the first to the last with an order, including those without any."""
    first, last = days[0].day, days[-1].day
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _order_bars(days: Sequence[DayTotal]) -> pd.DataFrame:
    rows = []
    for day in _every_day(days):
        of_day = [total for total in days if total.day == day]
        paid = sum(total.paid for total in of_day)
        rows.append((day.isoformat(), _PAID, paid, f"{paid:,}"))
        other = sum(total.orders for total in of_day) - paid
        rows.append((day.isoformat(), _OTHER, other, f"{other:,}"))
    return pd.DataFrame(rows, columns=["day", "what", "number", "label"])


def _revenue_bars(days: Sequence[DayTotal], currency: str) -> pd.DataFrame:
    of_day = {total.day: total.revenue for total in days if total.currency == currency}
    rows = []
    for day in _every_day(days):
        revenue = of_day.get(day, Decimal(0))
        rows.append((day.isoformat(), "Revenue", float(revenue), format_money(revenue, currency)))
    return pd.DataFrame(rows, columns=["day", "what", "number", "label"])
