"""The block *License information* of an order: its activation codes, and what can be done with each."""

from typing import Any, Final

import streamlit as st
from markupsafe import Markup

from pages.components.orders import dialogs
from pages.components.orders.buttons import button_name, dialog_button
from pages.components.orders.customer_dialogs import reissue_dialog
from pages.components.orders.stop_waiting import stop_dialog, stoppable_reissue
from services.access import Viewer
from services.order_actions.licences import COPY_DELETED, why_not_sent
from services.orders.models import ActivationCode, OrderDetail, OrderItem, dead_copies

_LOOK_ONLY: Final = "Your account may look at orders, but not change them."


def why_not_any_sent(order: OrderDetail, viewer: Viewer) -> str | None:
    """None when the viewer may send the order's live codes, else the reason in a few words."""
    if not viewer.may_act:
        return _LOOK_ONLY
    return why_not_sent(
        status=order.status,
        delivery_allowed=order.delivery_allowed,
        customer_erased=order.customer_erased,
        email=order.email,
        utf8=order.utf8,
    )


def draw_licences(order: OrderDetail, viewer: Viewer, view: Any, key: str) -> None:
    """Draw the block; pieces without a button between them are sent as one."""
    why_not = why_not_any_sent(order, viewer)
    dead = dead_copies(order.items)
    has_live_code = any(code.id not in dead for item in order.items for code in item.codes)
    waiting = view.heading("License information")
    if why_not and has_live_code:
        waiting += view.hint(f"Cannot resend: {why_not}")
    waiting += Markup('<div class="es-sub">Activation code</div>')
    for number, item in enumerate(order.items, 1):
        for index, code in enumerate(item.codes):
            line = view.code(code, number if index == 0 else "")
            if why_not or code.id in dead:
                waiting += line if code.deleted or code.id not in dead else line + view.hint(COPY_DELETED)
                continue
            if waiting:
                st.html(waiting)
                waiting = ""
            _draw_live(order, viewer, item, code, line, key, about=f"item {number}: {item.name}, {code.code}")
            waiting = view.code_ways(code)
        waiting += (
            view.license_user(item) if item.codes else view.no_code(number, item) + view.license_user(item)
        )
    st.html(waiting)


def _draw_live(
    order: OrderDetail,
    viewer: Viewer,
    item: OrderItem,
    code: ActivationCode,
    line: Markup,
    key: str,
    *,
    about: str,
) -> None:
    """A code that can be sent, with its buttons; `about` is what their names say beside their words."""
    resend, reissue = f"{key}_resend_{code.id}", f"{key}_reissue_{code.id}"
    names = button_name(resend, f"Resend licence of {about}")
    awaited = stoppable_reissue(order.awaited, viewer, code.code)
    if awaited is None and not item.refunded:
        names += button_name(reissue, f"Reissue licence of {about}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}_code_{code.id}"):
        st.html(line + names, width="stretch")
        dialog_button("Resend", resend, dialogs.resend_dialog(order, item, code))
        if awaited is not None:
            dialog_button("Stop waiting", f"{key}_stop_{code.id}", stop_dialog(order.order_name, awaited))
        elif not item.refunded:
            dialog_button("Reissue", reissue, reissue_dialog(order, item, code))
