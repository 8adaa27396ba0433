"""An order in full: a few pieces of HTML with buttons between them.

Fifty of Streamlit's own elements would take five times as long. The template escapes every value and is the only source
of markup.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st
from markupsafe import Markup

from db.schema.statuses import RENEWAL_ACTIVATED, RENEWAL_DEACTIVATED, RefundStatus, status_labels
from pages.components.layout.dialogs import Dialog
from pages.components.layout.status_chips import chip
from pages.components.orders import dialogs
from pages.components.orders.buttons import button_name, dialog_button
from pages.components.orders.customer_dialogs import cancel_order_dialog, email_dialog
from pages.components.orders.licences_block import draw_licences
from pages.components.orders.refund_dialog import refund_dialog
from pages.components.orders.stop_waiting import stop_dialog, stoppable
from pages.components.orders.ways import code_ways, is_awaited_elsewhere, refund_ways, subscription_ways
from pages.rendering.formatting import format_clock, format_day, format_number, format_time
from pages.rendering.templates import pieces
from services.access import Viewer
from services.money import format_money
from services.order_actions.cancellation import why_not_cancelled_unpaid
from services.order_actions.customer_email import why_not_corrected
from services.order_actions.subscriptions import why_not_cancelled, why_not_resumed
from services.orders.models import OTHERS_COUNTED, HistoryEvent, OrderDetail, OrderItem, Subscription
from services.refunds.requests import RefundRequest, why_not_requested

KIND_WORDS: Final = {
    "email": "E-mail",
    "error": "Error",
    "status": "Status",
    "subscription": "Subscription",
    "relation": "Related",
    "anonymization": "Personal data",
    "document": "Document",
    "note": "Internal note",
}
RELATION_WORDS: Final = {"typo": "Bought together", "parent": "Parent order", "child": "Child order"}
ACTION_WORDS: Final = {
    "cancel": "cancelled",
    "resume": "resumed",
    "stop": "stopped with a refund",
    "document": "decided anew",
}
RESULT_WORDS: Final = {"full": "Full refund", "partial": "Partial refund", "failed": "The refund failed"}


def draw_order(
    order: OrderDetail,
    viewer: Viewer,
    *,
    zone: ZoneInfo,
    customer_page_url: str,
    key: str,
    order_link: Callable[[int], str],
) -> None:
    """Draw the first line and all blocks, with the buttons that are allowed now.

    `order_link` returns the address that opens another order. A button only opens its dialog (`dialogs`).
    """
    view = order_pieces(order, zone=zone, customer_page_url=customer_page_url, order_link=order_link)
    with st.container(key=f"{key}_card", gap=None):
        with st.container(key=f"{key}_band", gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                st.html(view.first(), width="content")
                _refund_button(order, viewer, key)
                _cancel_button(order, viewer, key)
            st.html(view.second())
        left, right = st.columns([1.1, 1], gap="large")
        with left, st.container(key=f"{key}_left", gap="xsmall"):
            _draw_items(order, viewer, view, key)
            draw_licences(order, viewer, view, key)
            if order.additional_parameters:
                st.html(view.parameters())
        with right, st.container(key=f"{key}_right", gap="xsmall"):
            with _headed(view, "Customer"):
                _customer_link(order)
                if viewer.may_act and why_not_corrected(customer_erased=order.customer_erased) is None:
                    dialog_button("Correct e-mail", f"{key}_email", email_dialog(order))
            st.html(view.customer())
            st.html(view.payment())
            _refund_stop_button(order, viewer, key)
            with _headed(view, "Order History"):
                if viewer.may_act:
                    dialog_button("Add note", f"{key}_note", dialogs.note_dialog(order))
            st.html(view.history())


def order_pieces(
    order: OrderDetail, *, zone: ZoneInfo, customer_page_url: str, order_link: Callable[[int], str]
) -> Any:
    """The macros of order.html.jinja with this order's values: each call gives one piece of HTML."""
    return pieces(
        "order.html.jinja",
        order=order,
        customer_page_url=customer_page_url,
        order_link=order_link,
        chips=[chip(label) for label in status_labels(order.status, order.delivered, order.refund_status)],
        refund_chip=_refund_chip,
        decided_sum=_decided_sum,
        days=list(_by_day(order, zone)),
        money=lambda amount: format_money(amount, order.currency),
        format_number=format_number,
        time=lambda at: format_time(at, zone),
        clock=lambda at: format_clock(at, zone),
        renewal=_renewal,
        code_ways_of=lambda code: code_ways(order.awaited, code, zone),
        ways_of=lambda subscription_id: subscription_ways(order.awaited, subscription_id, zone),
        is_awaited_elsewhere=lambda subscription: is_awaited_elsewhere(order.awaited, subscription),
        refund_ways_of=lambda request_id: refund_ways(order.awaited, request_id, zone),
        kinds=KIND_WORDS,
        relations=RELATION_WORDS,
        actions=ACTION_WORDS,
        results=RESULT_WORDS,
    )


def order_html(
    order: OrderDetail, *, zone: ZoneInfo, customer_page_url: str, order_link: Callable[[int], str]
) -> str:
    """All pieces as one text, as a viewer without any button sees them."""
    view = order_pieces(order, zone=zone, customer_page_url=customer_page_url, order_link=order_link)
    parts = [view.first(), view.second(), view.heading("Order items")]
    for number, item in enumerate(order.items, 1):
        parts += [view.item(item, number), view.subscription(item) if item.subscription else ""]
    parts.append(view.heading("License information"))
    for number, item in enumerate(order.items, 1):
        parts += [view.code(code, number) for code in item.codes] or [view.no_code(number, item)]
        parts.append(view.license_user(item))
    return "".join([*parts, view.parameters(), view.customer(), view.payment(), view.history()])


def _refund_button(order: OrderDetail, viewer: Viewer, key: str) -> None:
    why_not = why_not_requested(
        status=order.status,
        total=order.total,
        again_after_partial=order.refund_again_after_partial,
        requests=((request.status, request.result) for request in order.refunds),
    )
    if viewer.may_act and why_not is None:
        dialog_button("Request refund", f"{key}_refund", refund_dialog(order), type_="secondary")


def _cancel_button(order: OrderDetail, viewer: Viewer, key: str) -> None:
    if viewer.may_act and why_not_cancelled_unpaid(status=order.status) is None:
        dialog_button("Cancel order", f"{key}_cancel", cancel_order_dialog(order), type_="secondary")


def _customer_link(order: OrderDetail) -> None:
    """The way to the customer's other orders; the address names this order and no person."""
    if order.customer_erased or not (order.email or order.phone):
        return
    number = order.other_orders
    if not number:
        label = "Customer"
    elif number == 1:
        label = "1 more order"
    else:
        label = f"{OTHERS_COUNTED}+ more orders" if number > OTHERS_COUNTED else f"{number} more orders"
    st.page_link("pages/customer.py", label=label, query_params={"order": str(order.order_id)})


def _draw_items(order: OrderDetail, viewer: Viewer, view: Any, key: str) -> None:
    st.html(view.heading("Order items"))
    waiting = ""  # pieces without a button between them are sent as one
    for number, item in enumerate(order.items, 1):
        waiting += view.item(item, number)
        if item.subscription is None:
            continue
        waiting += view.subscription(item)
        button = _subscription_button(order, item, item.subscription, viewer)
        if button is not None:
            label, dialog = button
            own_key = f"{key}_{label.lower().replace(' ', '_')}_{item.position}"
            if label != "Stop waiting":
                waiting += button_name(own_key, f"{label} renewal of item {number}: {item.name}")
            st.html(waiting)
            waiting = ""
            with st.container(key=f"{key}_renewal_{item.position}"):
                dialog_button(label, own_key, dialog, type_="secondary")
    if waiting:
        st.html(waiting)


# Any: each dialog has a subject of its own.
def _subscription_button(
    order: OrderDetail, item: OrderItem, subscription: Subscription, viewer: Viewer
) -> tuple[str, Dialog[Any]] | None:
    """The action that the subscription allows now: to change it, or to stop waiting for the answer to a change."""
    action = stoppable(order.awaited, viewer, subscription_id=subscription.subscription_id)
    if action is not None:
        return "Stop waiting", stop_dialog(order.order_name, action)
    label = _subscription_action(subscription)
    if label is None or not viewer.may_act:
        return None
    return label, (dialogs.cancel_dialog if label == "Cancel" else dialogs.resume_dialog)(order, item)


def _refund_stop_button(order: OrderDetail, viewer: Viewer, key: str) -> None:
    action = stoppable(order.awaited, viewer)
    if action is not None:
        with st.container(key=f"{key}_stop_refund"):
            dialog_button(
                "Stop waiting", f"{key}_stop", stop_dialog(order.order_name, action), type_="secondary"
            )


def _subscription_action(subscription: Subscription) -> str | None:
    type_, status, is_awaited = subscription.type, subscription.status, subscription.is_awaited
    if why_not_cancelled(type_=type_, status=status, is_awaited=is_awaited) is None:
        return "Cancel"
    if why_not_resumed(type_=type_, status=status, is_awaited=is_awaited) is None:
        return "Resume"
    return None


def _headed(view: Any, title: str) -> Any:
    """A heading; elements drawn inside the block appear at its right end."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.html(view.heading(title), width="stretch")
    return row


def _by_day(order: OrderDetail, zone: ZoneInfo) -> Iterator[tuple[str, list[HistoryEvent]]]:
    def day(event: HistoryEvent) -> object:
        at: datetime = event.at
        return at.astimezone(zone).date()

    for _, events in groupby(order.history, key=day):
        of_day = list(events)
        yield format_day(of_day[0].at.astimezone(zone)), of_day


def _renewal(subscription: Subscription) -> str:
    return RENEWAL_ACTIVATED if subscription.activated else RENEWAL_DEACTIVATED


def _refund_chip(request: RefundRequest) -> Markup:
    return chip(RefundStatus(request.status).label)


def _decided_sum(request: RefundRequest) -> str:
    """What the first operator decided to pay back."""
    decision = request.decision
    return "" if decision is None else format_money(Decimal(decision["amount"]), decision["currency"])
