"""The dialog that requests a refund: a ready reason, words of one's own, or both; the whole order, or a part of it."""

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, field_key, submit
from pages.components.layout.refund_lines import Choice, choose_lines, draw_problem
from pages.components.layout.session import current_viewer
from pages.components.orders.dialogs import about_order, order_dialog, read_order
from pages.rendering.escaping import label_text
from pages.rendering.templates import render
from services.money import format_money
from services.orders.models import OrderDetail
from services.refunds.plans import RefundPlan, find_plan
from services.refunds.reasons import RefundReason, find_reasons
from services.refunds.requests import request_refund
from services.text.input import REASON_LIMIT


def refund_dialog(order: OrderDetail) -> Dialog[int]:
    return order_dialog(order, "Request refund", _draw, order.order_id)


def _draw(order_id: int) -> None:
    order = read_order(order_id)
    about_order(order, format_money(order.total, order.currency))
    is_part = st.toggle("Only a part of the order", key=field_key("is_part"))
    reasons, plan = _read(order_id, with_plan=is_part)
    choice = None if plan is None else _choose(plan)
    positions_error = st.empty()
    with st.form("dialog_refund", border=False):
        texts = {reason.id: reason.reason for reason in reasons}
        reason_id = None
        if texts:
            # Its label must not be part of the field's below: people and programs find that one by its label.
            reason_id = st.pills(
                "Ready reasons",
                list(texts),
                format_func=lambda reason_id: label_text(texts[reason_id]),
                key=field_key("reason_id"),
                label_visibility="collapsed",
            )
        reason = st.text_area(
            "Refund reason",
            key=field_key("reason"),
            height=90,
            placeholder="A ready reason above is enough; more words help the operator." if texts else None,
        )
        error = st.empty()
        st.caption(f"At most {REASON_LIMIT} characters. A refund operator decides; you get an e-mail then.")
        is_sent = st.form_submit_button(
            "Send", type="primary", disabled=choice is not None and choice.problem is not None
        )
    if is_sent:
        submit(
            {"": error, "positions": positions_error},
            request_refund,
            order_id,
            reason=reason or "",
            reason_id=reason_id,
            positions=[] if choice is None else choice.positions,
            parts={} if choice is None else choice.parts,
        )


def _read(order_id: int, *, with_plan: bool) -> tuple[tuple[RefundReason, ...], RefundPlan | None]:
    with viewer_transaction(current_viewer().account_id) as connection:
        reasons = find_reasons(connection, only_in_use=True)
        return reasons, find_plan(connection, order_id) if with_plan else None


def _choose(plan: RefundPlan) -> Choice:
    """Draw the lines and what the chosen ones come to."""
    choice = choose_lines(plan, {})
    draw_problem(choice)
    st.html(
        render(
            "refund_sum.html.jinja",
            plan=plan,
            items=choice.items,
            amount=choice.amount,
            stays={},
            money=lambda amount: format_money(amount, plan.sums.currency),
        )
    )
    return choice
