"""The dialogs of an order: each says what will happen to which order, and asks for confirmation.

No dialog stores the order: each draw reads it again.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import Dialog, Screen, field_key, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.errors import NotFound
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from services.orders.detail import get_order
from services.orders.models import ActivationCode, OrderDetail, OrderItem
from services.text.input import NOTE_LIMIT

S = TypeVar("S")


class ItemSubject(NamedTuple):
    """An item of an order, by its position."""

    order_id: int
    position: int


class CodeSubject(NamedTuple):
    """An activation code of an item."""

    order_id: int
    position: int
    code_id: int


class EmailSubject(NamedTuple):
    """An order and its e-mail when the dialog opened, so that nobody overwrites a correction they did not see."""

    order_id: int
    email: str | None


def resend_dialog(order: OrderDetail, item: OrderItem, code: ActivationCode) -> Dialog[CodeSubject]:
    return order_dialog(order, "Resend licence", _resend, CodeSubject(order.order_id, item.position, code.id))


def cancel_dialog(order: OrderDetail, item: OrderItem) -> Dialog[ItemSubject]:
    return order_dialog(order, "Cancel subscription", _cancel, ItemSubject(order.order_id, item.position))


def resume_dialog(order: OrderDetail, item: OrderItem) -> Dialog[ItemSubject]:
    return order_dialog(order, "Resume subscription", _resume, ItemSubject(order.order_id, item.position))


def note_dialog(order: OrderDetail) -> Dialog[int]:
    return order_dialog(order, "Add note", _note, order.order_id)


def order_dialog(order: OrderDetail, title: str, draw: Callable[[S], None], subject: S) -> Dialog[S]:
    return Dialog(Screen.ORDERS, title, draw, subject, may=_may_act, order_id=order.order_id)


def _may_act(viewer: Viewer) -> bool:
    return viewer.may_act


def read_order(order_id: int) -> OrderDetail:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        return get_order(connection, viewer, order_id)


def _item(order: OrderDetail, position: int) -> OrderItem:
    item = next((item for item in order.items if item.position == position), None)
    if item is None:
        raise NotFound("The order has changed in the meantime. Please look at it again.")
    return item


def _resend(subject: CodeSubject) -> None:
    order = read_order(subject.order_id)
    item = _item(order, subject.position)
    code = next((code for code in item.codes if code.id == subject.code_id), None)
    if code is None:
        raise NotFound("The order has changed in the meantime. Please look at it again.")
    about_order(order, item.name)
    st.html(
        f'<p>The activation code <bdi class="es-mono es-copy">{html_text(code.code)}</bdi> will be sent to '
        f"<strong><bdi>{html_text(order.email or '')}</bdi></strong>.</p>"
    )
    error = st.empty()
    if st.button("Resend", type="primary", key=field_key("resend")):
        submit({"": error}, resend_licence, order.order_id, code_id=code.id)


def _cancel(subject: ItemSubject) -> None:
    order = read_order(subject.order_id)
    item = _item(order, subject.position)
    is_pmr = item.subscription is not None and item.subscription.type == "PMR"
    _about_subscription(
        order,
        item,
        "Its auto-renewal will be deactivated, in the parent order and all child orders alike."
        + (" A PMR subscription cannot be resumed afterwards." if is_pmr else ""),
    )
    with st.form("dialog_subscription", border=False):
        reason = st.text_input("Reason (optional)", key=field_key("reason"))
        error = st.empty()
        is_pressed = st.form_submit_button("Cancel subscription", type="primary")
    if is_pressed:
        submit({"": error}, cancel_subscription, order.order_id, position=item.position, reason=reason or "")


def _resume(subject: ItemSubject) -> None:
    order = read_order(subject.order_id)
    item = _item(order, subject.position)
    _about_subscription(
        order,
        item,
        "Its auto-renewal will be activated again, in the parent order and all child orders alike.",
    )
    with st.form("dialog_subscription", border=False):
        reason = st.text_input("Reason (optional)", key=field_key("reason"))
        error = st.empty()
        is_pressed = st.form_submit_button("Resume subscription", type="primary")
    if is_pressed:
        submit({"": error}, resume_subscription, order.order_id, position=item.position, reason=reason or "")


def _note(order_id: int) -> None:
    about_order(read_order(order_id))
    with st.form("dialog_note", border=False):
        text = st.text_area("Internal note", key=field_key("text"), height=130)
        error = st.empty()
        st.caption(f"At most {NOTE_LIMIT:,} characters. Customers never see it.")
        is_pressed = st.form_submit_button("Save note", type="primary")
    if is_pressed:
        submit({"": error}, add_note, order_id, text=text or "")


def _about_subscription(order: OrderDetail, item: OrderItem, effect: str) -> None:
    subscription_id = item.subscription.subscription_id if item.subscription else ""
    about_order(order, item.name, f"subscription {subscription_id}")
    st.html(f"<p>{html_text(effect)}</p>")


def about_order(order: OrderDetail, *details: str) -> None:
    """The line that names the order a dialog is about."""
    more = "".join(f", <bdi>{html_text(detail)}</bdi>" for detail in details)
    name = f'<strong class="es-mono"><bdi>{html_text(order.order_name)}</bdi></strong>'
    st.html(f'<p class="es-about">Order {name}{more}</p>')
