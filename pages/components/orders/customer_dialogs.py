"""Further dialogs of an order: its customer's e-mail, a licence issued anew, an unpaid order cancelled.

No dialog stores the order: each draw reads it again.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, field_key, submit
from pages.components.layout.session import current_viewer
from pages.components.orders.dialogs import CodeSubject, EmailSubject, about_order
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.errors import NotFound
from services.money import format_money
from services.order_actions.cancellation import cancel_unpaid_order
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import why_not_sent
from services.order_actions.reissue import CODE_LIMIT, ask_for_reissue, find_code_sender, reissue_licence
from services.orders.detail import get_order
from services.orders.models import ActivationCode, OrderDetail, OrderItem, dead_copies
from services.text.input import REASON_LIMIT

S = TypeVar("S")
_TYPED, _ASKED = "Type the new code", "Ask {asked} for one"
_REASON_CAPTION: Final = f"At most {REASON_LIMIT} characters. It stands in the order's history."


def email_dialog(order: OrderDetail) -> Dialog[EmailSubject]:
    return _dialog(order, "Correct e-mail", _email, EmailSubject(order.order_id, order.email))


def reissue_dialog(order: OrderDetail, item: OrderItem, code: ActivationCode) -> Dialog[CodeSubject]:
    return _dialog(order, "Reissue licence", _reissue, CodeSubject(order.order_id, item.position, code.id))


def cancel_order_dialog(order: OrderDetail) -> Dialog[int]:
    return _dialog(order, "Cancel order", _cancel_order, order.order_id)


def _dialog(order: OrderDetail, title: str, draw: Callable[[S], None], subject: S) -> Dialog[S]:
    return Dialog(Screen.ORDERS, title, draw, subject, may=_may_act, order_id=order.order_id)


def _may_act(viewer: Viewer) -> bool:
    return viewer.may_act


def _email(subject: EmailSubject) -> None:
    order = _order(subject.order_id)
    about_order(order)
    st.html(f"<p>Now: <bdi>{html_text(subject.email or '–')}</bdi></p>")
    number = _number_of_live_codes(order)
    with st.form("dialog_email", border=False):
        email = st.text_input(
            "New e-mail", value=subject.email or "", key=field_key("email"), autocomplete="off"
        )
        error = st.empty()
        st.caption("The customer's mails, licences included, go to the new address from now on.")
        with st.container(horizontal=True, gap="small"):
            is_saved = st.form_submit_button("Save e-mail", type="primary")
            is_sent = number and st.form_submit_button(
                "Save and resend the licence" if number == 1 else f"Save and resend {number:,} licences"
            )
    if is_saved or is_sent:
        submit(
            {"": error},
            correct_email,
            order.order_id,
            email=email or "",
            expected=subject.email,
            resend=bool(is_sent),
        )


def _number_of_live_codes(order: OrderDetail) -> int:
    """How many licences can be sent to an e-mail that is in order; 0 while none can."""
    why_not = why_not_sent(
        status=order.status,
        delivery_allowed=order.delivery_allowed,
        customer_erased=order.customer_erased,
        # The present one may be the very mistake.
        email="corrected@example.com",
        utf8=order.utf8,
    )
    dead = dead_copies(order.items)
    return 0 if why_not else sum(code.id not in dead for item in order.items for code in item.codes)


def _reissue(subject: CodeSubject) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        order = get_order(connection, viewer, subject.order_id)
        asked = find_code_sender(connection, viewer, subject.order_id)
    item, code = _code(order, subject)
    about_order(order, item.name)
    st.html(
        f'<p>The activation code <bdi class="es-mono">{html_text(code.code)}</bdi> will be deleted, here and on every '
        "other item of the order. The new one will be sent to "
        f"<strong><bdi>{html_text(order.email or '')}</bdi></strong>.</p>"
    )
    way = _TYPED
    if asked is not None:
        ways = [_TYPED, _ASKED.format(asked=asked)]
        way = st.radio("New code", ways, key=field_key("way"), horizontal=True, label_visibility="collapsed")
    with st.form("dialog_reissue", border=False):
        typed, code_error = "", st.empty()
        if way == _TYPED:
            typed = st.text_input("New activation code", key=field_key("new_code"), autocomplete="off")
            code_error = st.empty()
        else:
            st.caption("Until the answer brings the new code, the old one stays.")
        reason = st.text_input(
            "Reason", key=field_key("reason"), placeholder="Why the code has to be replaced"
        )
        error = st.empty()
        st.caption(_REASON_CAPTION)
        is_pressed = st.form_submit_button(
            "Replace and send" if way == _TYPED else "Ask for a new code", type="primary"
        )
    if is_pressed and way == _TYPED:
        submit(
            {"": error, "new_code": code_error},
            reissue_licence,
            order.order_id,
            code_id=code.id,
            new_code=(typed or "")[: CODE_LIMIT * 4],
            reason=reason or "",
        )
    elif is_pressed:
        submit({"": error}, ask_for_reissue, order.order_id, code_id=code.id, reason=reason or "")


def _cancel_order(order_id: int) -> None:
    order = _order(order_id)
    about_order(order, format_money(order.total, order.currency))
    st.html(
        "<p>The order is not paid yet and will be Deleted. If the shop reports a payment after all, it becomes Paid "
        "again, and its history says so.</p>"
    )
    with st.form("dialog_cancel_order", border=False):
        reason = st.text_input("Reason", key=field_key("reason"))
        error = st.empty()
        st.caption(_REASON_CAPTION)
        is_pressed = st.form_submit_button("Cancel this order", type="primary")
    if is_pressed:
        submit({"": error}, cancel_unpaid_order, order_id, reason=reason or "")


def _order(order_id: int) -> OrderDetail:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        return get_order(connection, viewer, order_id)


def _code(order: OrderDetail, subject: CodeSubject) -> tuple[OrderItem, ActivationCode]:
    for item in order.items:
        for code in item.codes:
            if code.id == subject.code_id:
                return item, code
    raise NotFound("The order has changed in the meantime. Please look at it again.")
