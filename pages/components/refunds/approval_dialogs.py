"""The dialogs of a refund that waits for a second operator."""

from decimal import Decimal
from typing import NamedTuple

import streamlit as st

from pages.components.layout.dialogs import Dialog, field_key, submit
from pages.components.refunds.dialogs import about, note_field, request_dialog
from pages.rendering.escaping import html_text
from pages.rendering.templates import render
from services.money import format_money
from services.refunds.approval import approve_request, send_back_request, withdraw_decision
from services.refunds.plans import RefundPlan
from services.refunds.queue import QueueRow


class DecidedSubject(NamedTuple):
    """A request that was decided, as it was when the dialog opened, and its order's plan."""

    row: QueueRow
    plan: RefundPlan


def approve_dialog(row: QueueRow, plan: RefundPlan) -> Dialog[DecidedSubject]:
    return request_dialog(row, "Approve refund", _approve, DecidedSubject(row, plan))


def send_back_dialog(row: QueueRow, plan: RefundPlan) -> Dialog[DecidedSubject]:
    return request_dialog(row, "Send refund back", _send_back, DecidedSubject(row, plan))


def withdraw_dialog(row: QueueRow, plan: RefundPlan) -> Dialog[DecidedSubject]:
    return request_dialog(row, "Withdraw decision", _withdraw, DecidedSubject(row, plan))


def decision_html(row: QueueRow, plan: RefundPlan) -> str:
    """What was decided, item by item, with its sum."""
    names = {item.position: item.name for item in plan.items}
    decision = row.request.decision
    currency = row.currency if decision is None else decision["currency"]
    return render(
        "refund_decision.html.jinja",
        request=row.request,
        names=names,
        money=lambda amount: format_money(Decimal(amount), currency),
    )


def _approve(subject: DecidedSubject) -> None:
    about(subject.row)
    st.html(decision_html(*subject))
    st.html("<p>It is carried out exactly as it was decided.</p>")
    error = st.empty()
    decided_at = subject.row.request.decided_at
    if st.button("Approve", type="primary", key=field_key("approve")) and decided_at is not None:
        submit({"": error}, approve_request, subject.row.request.id, decided_at=decided_at)


def _send_back(subject: DecidedSubject) -> None:
    about(subject.row)
    decider = html_text(subject.row.request.decided_by_name or "")
    st.html(f"<p><bdi>{decider}</bdi> can decide again. Nothing is paid back until then.</p>")
    decided_at = subject.row.request.decided_at
    with st.form("dialog_send_back", border=False):
        note, error = note_field()
        is_pressed = st.form_submit_button("Send back", type="primary")
    if is_pressed and decided_at is not None:
        submit({"": error}, send_back_request, subject.row.request.id, decided_at=decided_at, note=note)


def _withdraw(subject: DecidedSubject) -> None:
    about(subject.row)
    st.html("<p>Nobody can approve it then. The request stays with who took it and can be decided again.</p>")
    error = st.empty()
    if st.button("Withdraw", type="primary", key=field_key("withdraw")):
        submit({"": error}, withdraw_decision, subject.row.request.id)
