"""Refund queue: the requests that wait for a refund operator, oldest first, and those that were processed."""

from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from markupsafe import Markup

from db.connections.engine import viewer_transaction
from db.schema.statuses import RefundStatus
from pages.components.layout.dialogs import Dialog, Screen, draw_dialog, open_dialog, show_result
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer, time_zone
from pages.components.layout.status_chips import AWAITED, TONES, chip, table_colors
from pages.components.layout.style import page_style
from pages.components.refunds import dialogs
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_age, format_time, money_cells, wall_clock
from pages.rendering.templates import render
from services.access import Viewer
from services.executors.refundable import RefundOutlook, find_outlook
from services.money import format_money
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.queue import PAGE, QueueRow, QueueView, count_open, find_queue

_AWAITED_HINT = "Recorded, and sent out: it is closed by the answer. The order shows how far it is."
_EMPTY = {
    QueueView.OPEN: "No refund request is waiting. New ones appear here as soon as a specialist sends one.",
    QueueView.MINE: "You have taken no refund request. Choose one under Open and take it.",
    QueueView.CLOSED: "No refund request has been closed yet.",
}


def page() -> None:
    page_style()
    st.title("Refund queue", anchor=False)
    show_result()
    queue()


@fragment
def queue() -> None:
    """Draw the queue in a fragment, so that choosing a request does not draw the frame again."""
    with showing_errors():
        _queue(current_viewer(), time_zone())


def _queue(viewer: Viewer, zone: ZoneInfo) -> None:
    state = st.session_state
    with st.container(horizontal=True, vertical_alignment="center"):
        count_line = st.empty()
        view = QueueView(
            st.segmented_control(
                "View",
                list(QueueView),
                default=QueueView.OPEN,
                key="queue_view",
                label_visibility="collapsed",
                required=True,
                on_change=_first_page,
            )
            or QueueView.OPEN
        )
    after = state.get("queue_after")
    with viewer_transaction(viewer.account_id) as connection:
        rows = find_queue(connection, viewer, view, after=after, limit=PAGE + 1)
        number = count_open(connection, viewer)
    count = f"{number:,} open {'request' if number == 1 else 'requests'}"
    count_line.html(
        f'<span class="es-count" role="status">{count}</span> '
        f'<span class="es-zone">times in {html_text(zone.key)}</span>'
    )
    if not rows:
        st.info(_EMPTY[view], icon=":material/inbox:")
    else:
        chosen = _table(rows[:PAGE], view, zone)
        _paging(rows, view)
        if chosen is not None:
            _draw_request(viewer, chosen, zone)
    draw_dialog(Screen.REFUND_QUEUE)


def _table(rows: tuple[QueueRow, ...], view: QueueView, zone: ZoneInfo) -> QueueRow | None:
    """Draw the table and the chosen request."""
    state = st.session_state
    now = datetime.now(UTC)
    is_closed = view is QueueView.CLOSED
    frame = pd.DataFrame(
        {
            "Order": [row.order_name for row in rows],
            "Total": money_cells((row.total, row.currency) for row in rows),
            "Refunded": money_cells(
                (row.request.amount, row.request.currency or row.currency) for row in rows
            ),
            "Age": [format_age(row.request.requested_at, now) for row in rows],
            "Status": [_statuses(row) for row in rows],
            "Requested by": [row.request.requester_name for row in rows],
            "Taken by": [row.request.taken_by_name for row in rows],
            "Closed": [wall_clock(row.request.closed_at, zone) for row in rows],
            "Reason": [" ".join(row.request.reason.split()) for row in rows],
            "Store": [row.store for row in rows],
        }
    )
    frame = frame.drop(columns=["Age"] if is_closed else ["Closed", "Refunded"])
    chosen = row_table(
        "refund_request",
        frame,
        [row.request.id for row in rows],
        rows_shown=16 if state.get("chosen_refund_request") is None else 8,
        alt="Refund requests; choose a row to work on it below",
        columns={
            "Order": st.column_config.TextColumn(width=112),
            "Total": st.column_config.TextColumn(width=128, alignment="right"),
            "Refunded": st.column_config.TextColumn(width=128, alignment="right"),
            "Age": st.column_config.TextColumn(width=70, alignment="right"),
            "Status": st.column_config.MultiselectColumn(
                width=200 if not any(row.is_awaited for row in rows) else 330,
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


def _statuses(row: QueueRow) -> list[str]:
    """The request's status, and whether the refund waits for the shop or the provider."""
    status = [RefundStatus(row.request.status).label]
    return [*status, AWAITED] if row.is_awaited else status


def _paging(rows: tuple[QueueRow, ...], view: QueueView) -> None:
    has_more = len(rows) > PAGE
    if not has_more and st.session_state.get("queue_after") is None:
        return
    last = rows[:PAGE][-1].request
    at = last.closed_at if view is QueueView.CLOSED else last.requested_at
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.session_state.get("queue_after") is not None:
            st.button("First", on_click=_first_page, type="tertiary")
        if has_more:
            st.button("More", on_click=_go_on, args=(at, last.id), icon=":material/chevron_right:")


def _go_on(at: datetime, request_id: int) -> None:
    st.session_state.queue_after = (at, request_id)


def _first_page() -> None:
    st.session_state.queue_after = None


def _draw_request(viewer: Viewer, row: QueueRow, zone: ZoneInfo) -> None:
    request = row.request
    with viewer_transaction(viewer.account_id) as connection:
        plan = find_plan(connection, request.order_id)
        is_mine = request.is_open and request.taken_by == viewer.account_id
        outlook = find_outlook(connection, request.order_id) if is_mine else None
    if plan is None:  # moved to a store of others since the list was read
        st.info("This request is no longer among the stores you can see.")
        return
    with st.container(key=f"order_{request.order_id}_card", gap=None):
        with st.container(
            key=f"order_{request.order_id}_band", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(
                render(
                    "refund_head.html.jinja",
                    row=row,
                    link=f"/?order={request.order_id}",
                    total=format_money(row.total, row.currency),
                    chip=Markup(" ").join(map(chip, _statuses(row))),
                ),
                width="stretch",
            )
            _buttons(viewer, row, plan, outlook)
        st.html(
            render(
                "refund_request.html.jinja",
                row=row,
                plan=plan,
                time=lambda at: format_time(at, zone),
                money=lambda amount: format_money(amount, row.currency),
            )
        )


def _buttons(viewer: Viewer, row: QueueRow, plan: RefundPlan, outlook: RefundOutlook | None) -> None:
    request = row.request
    if not request.is_open:
        return
    if row.is_awaited:
        st.html(f'<div class="es-hint">{_AWAITED_HINT}</div>', width="content")
        return
    if request.status == RefundStatus.REQUESTED:
        _button("Take", dialogs.take_dialog(row), type_="primary")
        return
    if request.taken_by == viewer.account_id:
        _button("Fulfil", dialogs.fulfil_dialog(row, plan, outlook), type_="primary")
        _button("Refuse", dialogs.refuse_dialog(row))
        _button("Mark as failed", dialogs.fail_dialog(row))
    if request.taken_by == viewer.account_id or viewer.may_administer:
        _button("Release", dialogs.release_dialog(row), type_="tertiary")


def _button(
    label: str, dialog: Dialog[Any], *, type_: Literal["primary", "secondary", "tertiary"] = "secondary"
) -> None:
    # The order makes a unique key: it has only one open request at a time.
    st.button(label, key=f"{label}_{dialog.order_id}", type=type_, on_click=open_dialog, args=(dialog,))


with showing_errors():
    page()
