"""The dialogs of the refund queue."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, change_subject, field_key, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text, label_text, markdown_text
from pages.rendering.templates import render
from services.access import Viewer
from services.actions import Action
from services.executors.refundable import RefundOutlook, find_outlook
from services.money import format_money
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.processing import (
    fail_request,
    fulfil_request,
    refuse_request,
    release_request,
    take_request,
)
from services.refunds.queue import QueueRow

S = TypeVar("S")
_NAME_LENGTH = 200  # characters of a product's name; the page behind the dialog shows it whole


class FulfilSubject(NamedTuple):
    """A request, and what its order could be refunded when the dialog opened or after the last refusal.

    `outlook` is how it is paid back, where a payment provider of the store has to do with it.
    """

    row: QueueRow
    plan: RefundPlan
    outlook: RefundOutlook | None


def take_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return _dialog(row, "Take refund request", _take, row)


def release_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return _dialog(row, "Release refund request", _release, row)


def fulfil_dialog(row: QueueRow, plan: RefundPlan, outlook: RefundOutlook | None) -> Dialog[FulfilSubject]:
    return _dialog(row, "Fulfil refund request", _fulfil, FulfilSubject(row, plan, outlook))


def refuse_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return _dialog(row, "Refuse refund request", _refuse, row)


def fail_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return _dialog(row, "Mark refund as failed", _fail, row)


def _dialog(row: QueueRow, title: str, draw: Callable[[S], None], subject: S) -> Dialog[S]:
    return Dialog(
        Screen.REFUND_QUEUE, title, draw, subject, may=_may_work_queue, order_id=row.request.order_id
    )


def _may_work_queue(viewer: Viewer) -> bool:
    return viewer.may_work_refund_queue


def _take(row: QueueRow) -> None:
    _about(row)
    st.html(
        "<p>You work on it from now on. The order's status becomes <em>Refund info is being updated</em>.</p>"
    )
    _confirm("Take", row, take_request)


def _release(row: QueueRow) -> None:
    _about(row)
    st.html("<p>It goes back into the queue, where another refund operator can take it.</p>")
    _confirm("Release", row, release_request)


def _fulfil(subject: FulfilSubject) -> None:
    """The items are outside the form, so that the sum follows each tick; nothing typed below is lost by that."""
    row, plan, outlook = subject
    _about(row)
    is_asked = outlook is not None and outlook.executor is not None
    st.html(f"<p>Items {'to be' if is_asked else 'that were'} paid back:</p>")
    positions = _ticked_positions(plan)
    positions_error = st.empty()
    items = plan.choose(positions) if positions else []
    amount = sum((item.amount for item in items), Decimal(0))
    st.html(
        render(
            "refund_sum.html.jinja",
            plan=plan,
            items=items,
            amount=amount,
            stays=plan.codes_that_stay(set(positions)),
            money=lambda amount: format_money(amount, plan.sums.currency),
        )
    )
    obstacle = _draw_outlook(outlook, amount)
    with st.form("dialog_fulfil", border=False):
        delete_codes = st.checkbox("Delete their activation codes", value=True, key=field_key("codes"))
        stop_renewal = st.checkbox("Stop their subscriptions", value=True, key=field_key("stop"))
        note, note_error = _note_field()
        st.caption("When all items are refunded, the order becomes Deleted. The requester gets an e-mail.")
        is_pressed = st.form_submit_button("Fulfil", type="primary", disabled=obstacle is not None)
    if is_pressed:
        submit(
            {"": note_error, "positions": positions_error},
            fulfil_request,
            row.request.id,
            positions=positions,
            expected_amount=amount,
            delete_codes=delete_codes,
            stop_renewal=stop_renewal,
            note=note,
        )
        _read_plan_again(subject)


def _draw_outlook(outlook: RefundOutlook | None, amount: Decimal) -> str | None:
    """Say who pays the money back; return the reason why this sum cannot be, which is said as well."""
    if outlook is None:
        return None
    obstacle = outlook.why_not(amount)
    if obstacle is not None:
        st.warning(markdown_text(obstacle), icon=":material/block:")
    elif outlook.note is not None:
        st.info(markdown_text(outlook.note), icon=":material/payments:")
    return obstacle


def _ticked_positions(plan: RefundPlan) -> list[int]:
    """Draw the items, all ticked at first; return the positions of those that are ticked."""
    positions = []
    for item in plan.items:
        share = None if item.share is None else format_money(item.share, plan.sums.currency)
        amount = format_money(item.amount, plan.sums.currency)
        name = item.name if len(item.name) <= _NAME_LENGTH else f"{item.name[: _NAME_LENGTH - 1]}…"
        label = f"{item.position}  {name}, {share or amount}"
        if share not in (None, amount):
            label += f" (line {amount})"
        is_ticked = st.checkbox(
            label_text(label),
            value=share is not None,
            disabled=share is None,
            key=field_key(f"item_{item.position}"),
        )
        if is_ticked and share is not None:
            positions.append(item.position)
    return positions


def _read_plan_again(subject: FulfilSubject) -> None:
    """After a refusal: read the order again, so that the next confirmation is of the present sums."""
    with viewer_transaction(current_viewer().account_id) as connection:
        plan = find_plan(connection, subject.row.request.order_id)
        outlook = find_outlook(connection, subject.row.request.order_id)
    if plan is not None:
        change_subject(FulfilSubject(subject.row, plan, outlook))


def _refuse(row: QueueRow) -> None:
    _turn_down(row, "Refuse", "The order stays as it is.", refuse_request)


def _fail(row: QueueRow) -> None:
    _turn_down(row, "Mark as failed", "Nothing was paid back; the order stays as it is.", fail_request)


def _turn_down(row: QueueRow, label: str, effect: str, action: Action[...]) -> None:
    _about(row)
    st.html(
        f"<p>{html_text(effect)} Its status becomes <em>Refusal to refund</em>. The requester gets an e-mail.</p>"
    )
    with st.form("dialog_turn_down", border=False):
        note, error = _note_field()
        is_pressed = st.form_submit_button(label, type="primary")
    if is_pressed:
        submit({"": error}, action, row.request.id, note=note)


def _note_field() -> tuple[str, DeltaGenerator]:
    note = st.text_area("Note", key=field_key("note"), height=90)
    return note or "", st.empty()


def _confirm(label: str, row: QueueRow, action: Action[[int]]) -> None:
    error = st.empty()
    if st.button(label, type="primary", key=field_key("confirm")):
        submit({"": error}, action, row.request.id)


def _about(row: QueueRow) -> None:
    name = f'<strong class="es-mono"><bdi>{html_text(row.order_name)}</bdi></strong>'
    total = html_text(format_money(row.total, row.currency))
    requester = html_text(row.request.requester_name)
    st.html(f'<p class="es-about">Order {name}, {total}, requested by <bdi>{requester}</bdi></p>')
