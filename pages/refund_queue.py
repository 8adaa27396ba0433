"""Refund queue: the requests that wait for a refund operator, oldest first, and those that were processed."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

import streamlit as st
from markupsafe import Markup

from db.connections.engine import viewer_transaction
from db.schema.statuses import RefundStatus
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    open_dialog,
    show_result,
    tell_later,
)
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import client_address, current_viewer, time_zone
from pages.components.layout.status_chips import chip
from pages.components.layout.style import page_style
from pages.components.orders.stop_waiting import stop_dialog
from pages.components.refunds import approval_dialogs, dialogs
from pages.components.refunds.approval_dialogs import decision_html
from pages.components.refunds.queue_filters import queue_filters
from pages.components.refunds.queue_table import queue_table, request_statuses
from pages.components.refunds.waiting import remember_waiting
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.access import Viewer
from services.actions import ActionRequest, perform
from services.errors import SupportError
from services.events.awaiting import AwaitedAction, find_open_refund
from services.executors.refundable import RefundOutlook, find_outlook
from services.money import format_money
from services.refunds.approval import why_not_second
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.proposals import proposal_text
from services.refunds.queue import (
    PAGE,
    Cursor,
    QueueFigures,
    QueueFilter,
    QueueRow,
    QueueView,
    count_queue,
    find_queue,
)
from services.refunds.request_lock import FourEyes
from services.refunds.taking import find_last_taken, take_next

_AWAITED_HINT = "Recorded, and sent out: it is closed by the answer. The order shows how far it is."
_EMPTY = {
    QueueView.OPEN: "No refund request is waiting. New ones appear here as soon as a specialist sends one.",
    QueueView.MINE: "You have taken no refund request. Take next takes the one that has waited longest.",
    QueueView.CLOSED: "No refund request has been closed yet.",
}
_CHOSEN = "chosen_refund_request"
_AFTER = "queue_after"
# The view of the next run: that of a widget which is drawn already cannot be set.
_NEXT_VIEW = "queue_next_view"


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
    if (next_view := state.pop(_NEXT_VIEW, None)) is not None:
        state.queue_view = next_view
    state.setdefault("queue_view", QueueView.OPEN)
    with viewer_transaction(viewer.account_id) as connection:
        figures = count_queue(connection, viewer)
    remember_waiting(viewer, figures.free, figures.overdue)
    view, queue_filter = _controls(viewer, figures, zone)
    with viewer_transaction(viewer.account_id) as connection:
        rows = find_queue(
            connection, viewer, view, queue_filter=queue_filter, after=state.get(_AFTER), limit=PAGE + 1
        )
    if not rows:
        st.info(
            "No refund request fits the filter." if queue_filter.number else _EMPTY[view],
            icon=":material/inbox:",
        )
    elif state.get(_CHOSEN) in {row.request.id for row in rows[:PAGE]}:
        with st.container(key="queue_split"):
            left, right = st.columns([1, 1], gap="medium")
        with left:
            chosen = queue_table(rows[:PAGE], view, zone, is_beside=True)
            _paging(rows, view)
        if chosen is None:  # chosen once more, which takes the choice back
            state.pop(_CHOSEN, None)
            st.rerun(scope="fragment")
        with right:
            _draw_request(viewer, chosen, zone)
    else:
        queue_table(rows[:PAGE], view, zone, is_beside=False)
        _paging(rows, view)
    draw_dialog(Screen.REFUND_QUEUE)


def _controls(viewer: Viewer, figures: QueueFigures, zone: ZoneInfo) -> tuple[QueueView, QueueFilter]:
    """Draw what stands above the table; the view and what it is limited to."""
    with st.container(horizontal=True, vertical_alignment="center", key="queue_controls"):
        st.html(
            render("queue_count.html.jinja", figures=figures, zone=zone.key),
            width="content",
        )
        view = QueueView(
            st.segmented_control(
                "View",
                list(QueueView),
                key="queue_view",
                label_visibility="collapsed",
                required=True,
                on_change=_first_page,
            )
            or QueueView.OPEN
        )
        queue_filter = queue_filters(viewer, figures, view, on_change=_first_page)
        if st.button(
            "Take next",
            key="take_next",
            type="secondary" if st.session_state.get(_CHOSEN) else "primary",
            icon=":material/front_hand:",
            disabled=not figures.free,
            help="Takes the request that has waited longest of those that nobody has taken.",
        ):
            _take_next(viewer)
    return view, queue_filter


def _take_next(viewer: Viewer) -> None:
    """Take a request and show it among the viewer's own."""
    try:
        sentence = perform(viewer, ActionRequest(key=uuid4(), address=client_address()), take_next)
    except SupportError as error:
        tell_later(str(error), refused=True)
        st.rerun()
    with viewer_transaction(viewer.account_id) as connection:
        taken = find_last_taken(connection, viewer)
    tell_later(sentence)
    st.session_state[_CHOSEN] = taken
    st.session_state[_NEXT_VIEW] = QueueView.MINE
    _first_page()
    st.rerun()


def _paging(rows: tuple[QueueRow, ...], view: QueueView) -> None:
    has_more = len(rows) > PAGE
    if not has_more and st.session_state.get(_AFTER) is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.session_state.get(_AFTER) is not None:
            st.button("First", on_click=_first_page, type="tertiary")
        if has_more:
            cursor = rows[PAGE - 1].cursor(view)
            st.button("More", on_click=_go_on, args=(cursor,), icon=":material/chevron_right:")


def _go_on(cursor: Cursor) -> None:
    st.session_state[_AFTER] = cursor


def _first_page() -> None:
    st.session_state[_AFTER] = None


def _draw_request(viewer: Viewer, row: QueueRow, zone: ZoneInfo) -> None:
    request = row.request
    with viewer_transaction(viewer.account_id) as connection:
        plan = find_plan(connection, request.order_id)
        is_mine = request.is_open and request.taken_by == viewer.account_id
        outlook = find_outlook(connection, request.order_id) if is_mine else None
        awaited = find_open_refund(connection, request.order_id, request.id) if row.is_awaited else None
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
                    chip=Markup(" ").join(map(chip, request_statuses(row, datetime.now(UTC)))),
                ),
                width="stretch",
            )
            _buttons(viewer, row, plan, outlook, awaited)
        st.html(
            render(
                "refund_request.html.jinja",
                row=row,
                plan=plan,
                proposal=proposal_text(request.proposed, row.currency),
                decision=Markup(decision_html(row, plan)) if request.waits_for_approval else "",  # noqa: S704 - a template
                time=lambda at: format_time(at, zone),
                money=lambda amount: format_money(amount, row.currency),
            )
        )


def _buttons(
    viewer: Viewer,
    row: QueueRow,
    plan: RefundPlan,
    outlook: RefundOutlook | None,
    awaited: AwaitedAction | None,
) -> None:
    request = row.request
    if not request.is_open:
        return
    if row.is_awaited:
        st.html(f'<div class="es-hint">{_AWAITED_HINT}</div>', width="content")
        if awaited is not None:
            _button("Stop waiting", stop_dialog(row.order_name, awaited, screen=Screen.REFUND_QUEUE))
        return
    if request.waits_for_approval:
        _approval_buttons(viewer, row, plan)
        return
    if plan.four_eyes and request.requested_by == viewer.account_id:
        st.html(f'<div class="es-hint">{FourEyes.message}</div>', width="content")
        if request.taken_by == viewer.account_id:
            _button("Release", dialogs.release_dialog(row), type_="tertiary")
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


def _approval_buttons(viewer: Viewer, row: QueueRow, plan: RefundPlan) -> None:
    request = row.request
    why = why_not_second(viewer, decided_by=request.decided_by, requested_by=request.requested_by)
    if why is None:
        _button("Approve", approval_dialogs.approve_dialog(row, plan), type_="primary")
        _button("Send back", approval_dialogs.send_back_dialog(row, plan))
    else:
        st.html(f'<div class="es-hint">{why}</div>', width="content")
    if request.decided_by == viewer.account_id or viewer.may_administer:
        _button("Withdraw", approval_dialogs.withdraw_dialog(row, plan), type_="tertiary")


def _button(
    label: str, dialog: Dialog[Any], *, type_: Literal["primary", "secondary", "tertiary"] = "secondary"
) -> None:
    # The order makes a unique key: it has only one open request at a time.
    st.button(label, key=f"{label}_{dialog.order_id}", type=type_, on_click=open_dialog, args=(dialog,))


with showing_errors():
    page()
