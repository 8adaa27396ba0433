"""Dialogs that ask for confirmation or input, and the message after the action.

A button opens a `Dialog`, which stays in the session until it is submitted or dismissed; the screen that it belongs to
draws it. A draw function is a function of a module: it outlives the run that opened the dialog.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Generic, Literal, ParamSpec, TypeVar
from uuid import UUID, uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout import fragments
from pages.components.layout.errors import field_error, showing_errors
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text, markdown_text
from services.access import Viewer
from services.actions import Action, ActionRequest, perform
from services.errors import InvalidInput, NotAllowed, NotFound, SupportError
from services.orders.detail import check_order

P = ParamSpec("P")
S = TypeVar("S")

_OPEN: Final = "dialog"
# Not "dialog_…": keys of typed values begin like that (unfinished.py).
_RESULT: Final = "action_result"
_REFUSAL: Final = "action_refusal"
FLUSH_SECONDS: Final = 0.02  # Streamlit sends what a script has drawn every 0.01


class Screen(StrEnum):
    """The screen that a dialog is drawn over. On another screen it is hidden; it returns together with its own."""

    ORDERS = "orders"
    REFUND_QUEUE = "refund queue"
    ACCOUNTS = "accounts"
    TEAMS = "teams"
    STORES = "stores"
    PERSONAL_DATA = "personal data"
    MAIL_LOG = "mail log"
    CONNECTIONS = "connections"
    REFUND_REASONS = "refund reasons"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Dialog(Generic[S]):
    """A dialog about `subject`, drawn by `draw`, for viewers who `may`.

    `order_id` is the order that it is about: it must be among the viewer's stores, and the audit log files the action
    under it. `after` takes the subject and the message once the action is done. Without `dismissible` its own buttons
    alone close it. `key` is the request key, a new one each time the dialog opens.
    """

    screen: Screen
    title: str
    draw: Callable[[S], None]
    subject: S
    may: Callable[[Viewer], bool]
    order_id: int | None = None
    width: Literal["small", "large"] = "small"
    after: Callable[[S, str], None] | None = None
    dismissible: bool = True
    key: UUID = field(default_factory=uuid4)


def may_administer(viewer: Viewer) -> bool:
    return viewer.may_administer


def open_dialog(dialog: Dialog[Any]) -> None:
    """Open a dialog from a button's `on_click`; the run that follows draws it. Its request key is made here, once."""
    st.session_state[_OPEN] = replace(dialog, key=uuid4())


# Any: only its draw function knows the type of the open dialog's subject.
def current_dialog() -> Dialog[Any] | None:
    dialog: Dialog[Any] | None = st.session_state.get(_OPEN)
    return dialog


def change_subject(subject: object) -> None:
    """Let the open dialog, if there is one, be about `subject` from its next draw on; nothing typed is lost."""
    if dialog := current_dialog():
        st.session_state[_OPEN] = replace(dialog, subject=subject)


def close() -> None:
    st.session_state.pop(_OPEN, None)


def field_key(name: str) -> str:
    """A widget's key for this opening of the dialog, so that nothing typed into an earlier one reappears."""
    dialog = current_dialog()
    return f"dialog_{name}_{dialog.key if dialog else ''}"


def draw_dialog(screen: Screen) -> None:
    """Draw the open dialog, if it belongs to this screen.

    Each draw asks whether the session still holds, whether the viewer still may, and whether the order is still among
    their stores; if not, the dialog closes and says so.
    """
    opened = current_dialog()
    if opened is None or opened.screen is not screen:
        return

    def draw() -> None:
        with showing_errors():
            # Streamlit calls this again for each click in the dialog, as it was when the dialog opened.
            _draw_checked(current_dialog() or opened)

    fragments.dialog(opened.title, draw, width=opened.width, dismissible=opened.dismissible, on_dismiss=close)


def _draw_checked(dialog: Dialog[Any]) -> None:
    viewer = current_viewer()
    try:
        if not dialog.may(viewer):
            raise NotAllowed
        if dialog.order_id is not None:
            with viewer_transaction(viewer.account_id) as connection:
                check_order(connection, viewer, dialog.order_id)
        dialog.draw(dialog.subject)
    except (NotAllowed, NotFound) as error:
        st.session_state[_REFUSAL] = str(error)
        close()
        st.rerun()


def show_result() -> None:
    """Show once what the last action did."""
    if result := st.session_state.pop(_RESULT, None):
        # A toast is Markdown; this one consists of fixed text and values escaped for it.
        st.toast(markdown_text(result), icon=":material/check:", duration="long")
    if refusal := st.session_state.pop(_REFUSAL, None):
        st.toast(markdown_text(refusal), icon=":material/block:", duration="long")


def tell_later(sentence: str, *, refused: bool = False) -> None:
    """Let the next `show_result` show what an action without a dialog did, or why it was refused."""
    st.session_state[_REFUSAL if refused else _RESULT] = sentence


def submit(
    errors: Mapping[str, DeltaGenerator], action: Action[P], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Perform the action of the open dialog, once, and close it; a refusal is shown in it and nothing typed is lost.

    `errors` are empty elements by field name, for errors beside what was typed; "" is for all others.
    """
    dialog = current_dialog()
    if dialog is None:  # pressed a second time while the first press was closing it
        st.rerun()
    request = ActionRequest(key=dialog.key, address=client_address(), order_id=dialog.order_id)
    try:
        result = perform(current_viewer(), request, action, *args, **kwargs)
    except SupportError as error:
        name = (error.field or "") if isinstance(error, InvalidInput) else ""
        field_error(errors.get(name, errors[""]), error)
        return
    st.session_state[_RESULT] = result
    if dialog.after is not None:
        dialog.after(dialog.subject, result)
    # Shown at once, where the person is looking. Drawing the page again, which closes the dialog and shows a toast,
    # takes longer, and would remove the line unsent.
    errors[""].html(f'<div class="es-done" role="status">{html_text(result)}</div>')
    time.sleep(FLUSH_SECONDS)
    close()
    st.rerun()
