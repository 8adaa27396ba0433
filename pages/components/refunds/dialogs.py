"""The dialogs of the refund queue."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, change_subject, field_key, submit
from pages.components.layout.errors import field_error
from pages.components.layout.refund_lines import Choice, choose_lines, draw_problem
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text, markdown_text
from pages.rendering.templates import render
from services.access import Viewer
from services.actions import Action
from services.executors.refundable import RefundOutlook, find_outlook
from services.money import format_money
from services.refunds.deciding import SumChanged
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.processing import (
    fail_request,
    fulfil_request,
    refuse_request,
    release_request,
    take_request,
)
from services.refunds.queue import QueueRow
from services.text.input import NOTE_LIMIT

S = TypeVar("S")


class FulfilSubject(NamedTuple):
    """A request, and what its order could be refunded when the dialog opened or after the last refusal.

    `outlook` is how it is paid back, where a payment provider of the store has to do with it.
    """

    row: QueueRow
    plan: RefundPlan
    outlook: RefundOutlook | None


def take_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return request_dialog(row, "Take refund request", _take, row)


def release_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return request_dialog(row, "Release refund request", _release, row)


def fulfil_dialog(row: QueueRow, plan: RefundPlan, outlook: RefundOutlook | None) -> Dialog[FulfilSubject]:
    return request_dialog(row, "Fulfil refund request", _fulfil, FulfilSubject(row, plan, outlook))


def refuse_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return request_dialog(row, "Refuse refund request", _refuse, row)


def fail_dialog(row: QueueRow) -> Dialog[QueueRow]:
    return request_dialog(row, "Mark refund as failed", _fail, row)


def request_dialog(row: QueueRow, title: str, draw: Callable[[S], None], subject: S) -> Dialog[S]:
    return Dialog(
        Screen.REFUND_QUEUE, title, draw, subject, may=_may_work_queue, order_id=row.request.order_id
    )


def _may_work_queue(viewer: Viewer) -> bool:
    return viewer.may_work_refund_queue


def _take(row: QueueRow) -> None:
    about(row)
    st.html(
        "<p>You work on it from now on. The order's status becomes <em>Refund info is being updated</em>.</p>"
    )
    _confirm("Take", row, take_request)


def _release(row: QueueRow) -> None:
    about(row)
    st.html("<p>It goes back into the queue, where another refund operator can take it.</p>")
    _confirm("Release", row, release_request)


def _fulfil(subject: FulfilSubject) -> None:
    """The items are outside the form, so that the sum follows each tick; nothing typed below is lost by that."""
    row, plan, outlook = subject
    about(row)
    is_asked = outlook is not None and outlook.executor is not None
    if row.request.proposal:
        proposer = html_text(row.request.requester_name)
        st.html(f"<p>What <bdi>{proposer}</bdi> proposed is chosen:</p>")
    else:
        st.html(f"<p>Items {'to be' if is_asked else 'that were'} paid back:</p>")
    choice = choose_lines(plan, row.request.proposed)
    positions_error = st.empty()
    draw_problem(choice)
    obstacle = _draw_sum(plan, choice, outlook)
    with st.form("dialog_fulfil", border=False):
        delete_codes = st.checkbox("Delete their activation codes", value=True, key=field_key("codes"))
        stop_renewal = st.checkbox("Stop their subscriptions", value=True, key=field_key("stop"))
        note, note_error = note_field()
        st.caption(_effect(plan, choice))
        is_pressed = st.form_submit_button(
            "Fulfil", type="primary", disabled=obstacle is not None or choice.problem is not None
        )
    if _is_confirmed(is_pressed, choice, positions_error):
        submit(
            {"": note_error, "positions": positions_error},
            fulfil_request,
            row.request.id,
            positions=choice.positions,
            parts=choice.parts,
            expected_amount=choice.amount,
            delete_codes=delete_codes,
            stop_renewal=stop_renewal,
            note=note,
        )
        _read_plan_again(subject)


def _draw_sum(plan: RefundPlan, choice: Choice, outlook: RefundOutlook | None) -> str | None:
    """The sum, with what it is made of; the reason why it cannot be paid back."""
    st.html(
        render(
            "refund_sum.html.jinja",
            plan=plan,
            items=choice.items,
            amount=choice.amount,
            stays=plan.codes_that_stay({item.position for item in choice.items if item.is_whole}),
            money=lambda amount: format_money(amount, plan.sums.currency),
        )
    )
    return _draw_outlook(outlook, choice.amount, has_parts=any(item.part for item in choice.items))


def _effect(plan: RefundPlan, choice: Choice) -> str:
    """What follows from pressing *Fulfil*."""
    sentences = []
    if not all(item.is_whole for item in choice.items):
        sentences.append("Codes and subscriptions go only with items of which nothing is left.")
    if plan.needs_approval(choice.amount):
        sentences.append("A second operator has to approve this sum; nothing is paid back before.")
    sentences.append("When all items are refunded, the order becomes Deleted. The requester gets an e-mail.")
    return " ".join(sentences)


def _is_confirmed(is_pressed: bool, choice: Choice, error: DeltaGenerator) -> bool:
    """Whether the sum that is confirmed was on the screen: a press can arrive together with the amount just typed."""
    shown = st.session_state.get(field_key("shown"))
    st.session_state[field_key("shown")] = choice.amount
    if is_pressed and shown is not None and shown != choice.amount:
        field_error(error, SumChanged("The sum has just changed. Please check it and press Fulfil again."))
        return False
    return is_pressed


def _draw_outlook(outlook: RefundOutlook | None, amount: Decimal, *, has_parts: bool) -> str | None:
    """Say who pays the money back; return the reason why this sum cannot be, which is said as well."""
    if outlook is None:
        return None
    obstacle = outlook.why_not(amount, has_parts=has_parts)
    if obstacle is not None:
        st.warning(markdown_text(obstacle), icon=":material/block:")
    elif outlook.note is not None:
        st.info(markdown_text(outlook.note), icon=":material/payments:")
    return obstacle


def _read_plan_again(subject: FulfilSubject) -> None:
    """After a refusal: read the order again, so that the next confirmation is of the present sums."""
    with viewer_transaction(current_viewer().account_id) as connection:
        plan = find_plan(connection, subject.row.request.order_id)
        outlook = find_outlook(connection, subject.row.request.order_id)
    if plan is not None:
        change_subject(FulfilSubject(subject.row, plan, outlook))
        # The refusal has said the present sum, which the next press confirms.
        st.session_state.pop(field_key("shown"), None)


def _refuse(row: QueueRow) -> None:
    _turn_down(row, "Refuse", "The order stays as it is.", refuse_request)


def _fail(row: QueueRow) -> None:
    _turn_down(row, "Mark as failed", "Nothing was paid back; the order stays as it is.", fail_request)


def _turn_down(row: QueueRow, label: str, effect: str, action: Action[...]) -> None:
    about(row)
    st.html(
        f"<p>{html_text(effect)} Its status becomes <em>Refusal to refund</em>. The requester gets an e-mail.</p>"
    )
    with st.form("dialog_turn_down", border=False):
        note, error = note_field()
        is_pressed = st.form_submit_button(label, type="primary")
    if is_pressed:
        submit({"": error}, action, row.request.id, note=note)


def note_field() -> tuple[str, DeltaGenerator]:
    note = st.text_area(
        "Note", key=field_key("note"), height=90, placeholder=f"Needed. At most {NOTE_LIMIT:,} characters."
    )
    return note or "", st.empty()


def _confirm(label: str, row: QueueRow, action: Action[[int]]) -> None:
    error = st.empty()
    if st.button(label, type="primary", key=field_key("confirm")):
        submit({"": error}, action, row.request.id)


def about(row: QueueRow) -> None:
    name = f'<strong class="es-mono"><bdi>{html_text(row.order_name)}</bdi></strong>'
    total = html_text(format_money(row.total, row.currency))
    requester = html_text(row.request.requester_name)
    st.html(f'<p class="es-about">Order {name}, {total}, requested by <bdi>{requester}</bdi></p>')
