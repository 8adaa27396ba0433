"""The dialog that ends the waiting for an answer, and whether its button is drawn."""

from collections.abc import Iterable
from typing import NamedTuple

import streamlit as st

from db.schema.connection_states import AwaitedKind
from pages.components.layout.dialogs import Dialog, Screen, field_key, submit
from pages.components.orders.ways import SUBSCRIPTION_KINDS
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.connections.stop_waiting import stop_waiting
from services.events.awaiting import AwaitedAction
from services.text.input import NOTE_LIMIT

_NAMES = {
    AwaitedKind.CANCEL_SUBSCRIPTION: "cancellation of the subscription",
    AwaitedKind.RESUME_SUBSCRIPTION: "resumption of the subscription",
    AwaitedKind.REFUND: "refund",
    AwaitedKind.REISSUE_LICENCE: "request for a new activation code",
}


class StopSubject(NamedTuple):
    order_name: str
    action: AwaitedAction


def stoppable(
    actions: Iterable[AwaitedAction], viewer: Viewer, *, subscription_id: str | None = None
) -> AwaitedAction | None:
    """The action that the viewer may stop waiting for: of this subscription, or the order's refund without one."""
    for action in actions:
        if subscription_id is None:
            is_meant = action.kind is AwaitedKind.REFUND
        else:
            is_meant = action.kind in SUBSCRIPTION_KINDS and action.subject == subscription_id
        if is_meant and action.is_open:
            is_refund = action.kind is AwaitedKind.REFUND
            may = viewer.may_work_refund_queue if is_refund else viewer.may_act
            return action if may else None
    return None


def stoppable_reissue(actions: Iterable[AwaitedAction], viewer: Viewer, code: str) -> AwaitedAction | None:
    """The request for a new code in place of this one that the viewer may stop waiting for."""
    for action in actions:
        if action.kind is AwaitedKind.REISSUE_LICENCE and action.is_open and action.wish.get("code") == code:
            return action if viewer.may_act else None
    return None


def stop_dialog(
    order_name: str, action: AwaitedAction, *, screen: Screen = Screen.ORDERS
) -> Dialog[StopSubject]:
    """For whoever may do the action itself."""
    may = _may_work_queue if action.kind is AwaitedKind.REFUND else _may_act
    return Dialog(
        screen,
        "Stop waiting",
        _draw,
        StopSubject(order_name, action),
        may=may,
        order_id=action.order_id,
    )


def _may_act(viewer: Viewer) -> bool:
    return viewer.may_act


def _may_work_queue(viewer: Viewer) -> bool:
    return viewer.may_work_refund_queue


def _draw(subject: StopSubject) -> None:
    order_name, action = subject
    asked = html_text(action.asked)
    st.html(
        f'<p><strong class="es-mono"><bdi>{html_text(order_name)}</bdi></strong>: the {_NAMES[action.kind]} no longer '
        f"waits for {asked}, and can be done again. Look at {asked} first: if it answers after all, its answer "
        "counts.</p>"
    )
    with st.form("dialog_stop_waiting", border=False):
        note = st.text_area("Note", key=field_key("note"), height=100)
        st.html(
            f'<div class="es-hint">Needed: why the answer will not come. At most {NOTE_LIMIT:,} characters.</div>'
        )
        error = st.empty()
        is_pressed = st.form_submit_button("Stop waiting", type="primary")
    if is_pressed:
        submit(
            {"": error, "note": error}, stop_waiting, action.order_id, action_id=action.id, note=note or ""
        )
