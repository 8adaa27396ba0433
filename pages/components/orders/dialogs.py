"""The dialogs of an order: each says what will happen to which order, and asks."""

from typing import Any, Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout import dialogs
from pages.components.layout.dialogs import field_key, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from services.errors import NotFound
from services.money import format_money
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from services.orders.detail import get_order
from services.orders.models import ActivationCode, OrderDetail, OrderItem
from services.refunds.requests import request_refund
from services.text.input import NOTE_LIMIT, REASON_LIMIT

REFUND: Final = "refund"
RESEND: Final = "resend"
CANCEL: Final = "cancel"
RESUME: Final = "resume"
EMAIL: Final = "email"
NOTE: Final = "note"
TITLES: Final = {
    REFUND: "Request refund",
    RESEND: "Resend licence",
    CANCEL: "Cancel subscription",
    RESUME: "Resume subscription",
    EMAIL: "Correct e-mail",
    NOTE: "Add note",
}


def open_dialog(
    kind: str, *, order: OrderDetail, item: OrderItem | None = None, code: ActivationCode | None = None
) -> None:
    """For a button's `on_click`. The order itself is not kept: each draw of the dialog reads it again.

    What the e-mail was when the dialog opened is kept, so that nobody overwrites a correction that they did not see.
    """
    dialogs.ask(
        kind,
        order_id=order.order_id,
        position=item.position if item else None,
        code_id=code.id if code else None,
        email=order.email if kind == EMAIL else None,
    )


def draw_dialog() -> None:
    """Draws the dialog that is open, if it is one of an order's."""
    found = dialogs.asked()
    if found is None or found["kind"] not in TITLES:
        return
    dialogs.show(TITLES[found["kind"]], _draw, found, may=lambda viewer: viewer.may_act)


def _draw(asked: dict[str, Any]) -> None:
    viewer, kind = current_viewer(), asked["kind"]
    with viewer_transaction(viewer.account_id) as connection:
        order = get_order(connection, viewer, asked["order_id"])
    if kind in (REFUND, NOTE):
        {REFUND: _refund, NOTE: _note}[kind](order)
        return
    if kind == EMAIL:
        _email(order, asked["email"])
        return
    item = next((item for item in order.items if item.position == asked["position"]), None)
    code = next((code for code in item.codes if code.id == asked["code_id"]), None) if item else None
    if item is None or (kind == RESEND and code is None):
        raise NotFound("The order has changed meanwhile. Please look at it again.")
    if kind == RESEND and code is not None:
        _resend(order, item, code)
    else:
        {CANCEL: _cancel, RESUME: _resume}[kind](order, item)


def _refund(order: OrderDetail) -> None:
    _about(order, format_money(order.total, order.currency))
    with st.form("dialog_refund", border=False):
        reason = st.text_area("Refund reason", key=field_key("reason"), height=130)
        error = st.empty()
        st.caption(f"At most {REASON_LIMIT} characters. A refund operator decides; you get an e-mail then.")
        sent = st.form_submit_button("Send", type="primary")
    if sent:
        submit(
            {"": error, "reason": error}, order.order_id, request_refund, order.order_id, reason=reason or ""
        )


def _resend(order: OrderDetail, item: OrderItem, code: ActivationCode) -> None:
    _about(order, item.name)
    st.html(
        f'<p>The activation code <bdi class="es-mono es-copy">{html_text(code.code)}</bdi> will be sent to '
        f"<strong><bdi>{html_text(order.email or '')}</bdi></strong>.</p>"
    )
    error = st.empty()
    if st.button("Resend", type="primary", key=field_key("resend")):
        submit({"": error}, order.order_id, resend_licence, order.order_id, code_id=code.id)


def _cancel(order: OrderDetail, item: OrderItem) -> None:
    _change_subscription(
        order,
        item,
        "Its auto-renewal will be deactivated, in the parent order and all child orders alike."
        + (" A PMR subscription cannot be resumed afterwards." if _type(item) == "PMR" else ""),
        cancel=True,
    )


def _resume(order: OrderDetail, item: OrderItem) -> None:
    _change_subscription(
        order,
        item,
        "Its auto-renewal will be activated again, in the parent order and all child orders alike.",
        cancel=False,
    )


def _change_subscription(order: OrderDetail, item: OrderItem, what: str, *, cancel: bool) -> None:
    carried = item.subscription.subscription_id if item.subscription else ""
    _about(order, item.name, f"subscription {carried}")
    st.html(f"<p>{html_text(what)}</p>")
    with st.form("dialog_subscription", border=False):
        reason = st.text_input("Reason (optional)", key=field_key("reason"))
        error = st.empty()
        pressed = st.form_submit_button(TITLES[CANCEL if cancel else RESUME], type="primary")
    if pressed:
        change = cancel_subscription if cancel else resume_subscription
        submit(
            {"": error, "reason": error},
            order.order_id,
            change,
            order.order_id,
            position=item.position,
            reason=reason or "",
        )


def _email(order: OrderDetail, seen: str | None) -> None:
    _about(order)
    st.html(f"<p>Now: <bdi>{html_text(seen or '–')}</bdi></p>")
    with st.form("dialog_email", border=False):
        email = st.text_input("New e-mail", key=field_key("email"), autocomplete="off")
        error = st.empty()
        st.caption("The customer's mails, licences included, go to the new address from now on.")
        pressed = st.form_submit_button("Save e-mail", type="primary")
    if pressed:
        submit(
            {"": error, "email": error},
            order.order_id,
            correct_email,
            order.order_id,
            email=email or "",
            expected=seen,
        )


def _note(order: OrderDetail) -> None:
    _about(order)
    with st.form("dialog_note", border=False):
        text = st.text_area("Internal note", key=field_key("text"), height=130)
        error = st.empty()
        st.caption(f"At most {NOTE_LIMIT:,} characters. Customers never see it.")
        pressed = st.form_submit_button("Save note", type="primary")
    if pressed:
        submit({"": error, "text": error}, order.order_id, add_note, order.order_id, text=text or "")


def _about(order: OrderDetail, *more: str) -> None:
    words = "".join(f", <bdi>{html_text(one)}</bdi>" for one in more)
    name = f'<strong class="es-mono"><bdi>{html_text(order.order_name)}</bdi></strong>'
    st.html(f'<p class="es-about">Order {name}{words}</p>')


def _type(item: OrderItem) -> str:
    return item.subscription.type if item.subscription else ""
