"""The dialogs of the refund queue."""

from typing import Any, Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout import dialogs
from pages.components.layout.dialogs import field_key, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text, label_text
from pages.rendering.templates import render
from services.actions import Action
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

TAKE: Final = "take refund"
RELEASE: Final = "release refund"
FULFIL: Final = "fulfil refund"
REFUSE: Final = "refuse refund"
FAIL: Final = "fail refund"
_NAME: Final = 200  # characters of a product's name; the whole one stands behind the dialog
TITLES: Final = {
    TAKE: "Take refund request",
    RELEASE: "Release refund request",
    FULFIL: "Fulfil refund request",
    REFUSE: "Refuse refund request",
    FAIL: "Mark refund as failed",
}


def open_dialog(kind: str, *, row: QueueRow, **what: Any) -> None:
    """For a button's `on_click`."""
    dialogs.ask(kind, row=row, **what)


def draw_dialog() -> None:
    """Draws the dialog that is open, if it is one of the refund queue's."""
    found = dialogs.asked()
    if found is None or found["kind"] not in TITLES:
        return
    drawn = {TAKE: _take, RELEASE: _release, FULFIL: _fulfil, REFUSE: _refuse, FAIL: _fail}[found["kind"]]
    what = {name: value for name, value in found.items() if name not in ("kind", "key")}
    dialogs.show(
        TITLES[found["kind"]],
        lambda: drawn(**what),
        may=lambda viewer: viewer.may_work_refund_queue,
        order_id=found["row"].request.order_id,
    )


def _take(row: QueueRow) -> None:
    _about(row)
    st.html(
        "<p>You work on it from now on. The order's status becomes <em>Refund info is being updated</em>.</p>"
    )
    _confirm(TAKE, "Take", row, take_request)


def _release(row: QueueRow) -> None:
    _about(row)
    st.html("<p>It goes back into the queue, where another refund operator can take it.</p>")
    _confirm(RELEASE, "Release", row, release_request)


def _fulfil(row: QueueRow, plan: RefundPlan) -> None:
    """The items stand outside the form, so that the sum follows every tick; nothing typed below is lost by that."""
    plan = (dialogs.asked() or {}).get(
        "plan", plan
    )  # a newer one after a refusal: what was passed on never changes
    _about(row)
    st.html("<p>Items that were paid back:</p>")
    chosen = _ticked(plan)
    positions_error = st.empty()
    st.html(
        render(
            "refund_sum.html.jinja",
            plan=plan,
            chosen=chosen,
            stays=plan.codes_that_stay(set(chosen)),
            money=lambda amount: format_money(amount, plan.sums.currency),
        )
    )
    with st.form("dialog_fulfil", border=False):
        delete_codes = st.checkbox("Delete their activation codes", value=True, key=field_key("codes"))
        stop = st.checkbox("Stop their subscriptions", value=True, key=field_key("stop"))
        note, note_error = _note_field()
        st.caption("When all items are refunded, the order becomes Deleted. The requester gets an e-mail.")
        pressed = st.form_submit_button("Fulfil", type="primary")
    if pressed:
        submit(
            {"": note_error, "note": note_error, "positions": positions_error},
            row.request.order_id,
            fulfil_request,
            row.request.id,
            positions=chosen,
            expected_amount=plan.sums.sum_of(chosen),
            delete_codes=delete_codes,
            stop_renewal=stop,
            note=note,
        )
        _look_again(row)


def _ticked(plan: RefundPlan) -> list[int]:
    """Draws the items; the positions of those that are ticked. All are, until somebody takes a tick away."""
    chosen = []
    for item in plan.items:
        share = None if item.share is None else format_money(item.share, plan.sums.currency)
        line = format_money(item.amount, plan.sums.currency)
        name = item.name if len(item.name) <= _NAME else f"{item.name[: _NAME - 1]}…"
        words = f"{item.position}  {name}, {share or line}"
        if share not in (None, line):
            words += f" (line {line})"
        is_ticked = st.checkbox(
            label_text(words),
            value=share is not None,
            disabled=share is None,
            key=field_key(f"item_{item.position}"),
        )
        if is_ticked and share is not None:
            chosen.append(item.position)
    return chosen


def _look_again(row: QueueRow) -> None:
    """After a refusal: the order as it is now, so that what is confirmed next is what it comes to."""
    found = dialogs.asked()
    if found is not None:
        with viewer_transaction(current_viewer().account_id) as connection:
            found["plan"] = find_plan(connection, row.request.order_id) or found["plan"]


def _refuse(row: QueueRow) -> None:
    _turn_down(row, REFUSE, "Refuse", "The order stays as it is.", refuse_request)


def _fail(row: QueueRow) -> None:
    _turn_down(row, FAIL, "Mark as failed", "Nothing was paid back; the order stays as it is.", fail_request)


def _turn_down(row: QueueRow, kind: str, label: str, what: str, work: Action[...]) -> None:
    _about(row)
    st.html(
        f"<p>{html_text(what)} Its status becomes <em>Refusal to refund</em>. The requester gets an e-mail.</p>"
    )
    with st.form("dialog_turn_down", border=False):
        note, error = _note_field()
        pressed = st.form_submit_button(label, type="primary")
    if pressed:
        submit({"": error, "note": error}, row.request.order_id, work, row.request.id, note=note)


def _note_field() -> tuple[str, Any]:
    note = st.text_area("Note", key=field_key("note"), height=90)
    return note or "", st.empty()


def _confirm(kind: str, label: str, row: QueueRow, work: Action[...]) -> None:
    error = st.empty()
    if st.button(label, type="primary", key=field_key("confirm")):
        submit({"": error}, row.request.order_id, work, row.request.id)


def _about(row: QueueRow) -> None:
    name = f'<strong class="es-mono"><bdi>{html_text(row.order_name)}</bdi></strong>'
    total = html_text(format_money(row.total, row.currency))
    asked_by = html_text(row.request.requester_name)
    st.html(f'<p class="es-about">Order {name}, {total}, requested by <bdi>{asked_by}</bdi></p>')
