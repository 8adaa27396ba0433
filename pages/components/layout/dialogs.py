"""Dialogs that ask before something is done, and what is said after it."""

import time
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, Literal, ParamSpec
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import for_this_viewer
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text, markdown_text
from services.access import Viewer
from services.actions import Action, ActionRequest, perform
from services.errors import InvalidInput, NotAllowed, NotFound, SupportError
from services.orders.detail import check_order

P = ParamSpec("P")

_OPEN = "dialog"
_SAID = "said"
_REFUSED = "said_refused"
ADMINISTRATORS: Final = attrgetter("may_administer")
_ON_ITS_WAY = 0.02  # seconds; Streamlit sends what a script has drawn every 0.01


def ask(kind: str, **what: Any) -> None:
    """Opens the dialog of this kind in the run that follows. Its request key is made here, once."""
    st.session_state[_OPEN] = {"kind": kind, "key": uuid4(), **what}


def asked() -> dict[str, Any] | None:
    """What is being asked, if anything."""
    found: dict[str, Any] | None = st.session_state.get(_OPEN)
    return found


def field_key(name: str) -> str:
    """A widget's key that belongs to this opening of the dialog: what was typed into the last one is not in it."""
    found = asked()
    return f"dialog_{name}_{found['key'] if found else ''}"


def show(
    title: str,
    draw: Callable[..., None],
    *arguments: Any,
    may: Callable[[Viewer], bool],
    order_id: int | None = None,
    width: Literal["small", "large"] = "small",
) -> None:
    """Draws the dialog. Each draw asks whether the session stands, whether the viewer still `may`, and whether the
    order is still among their stores; if not, the dialog closes and says so.
    """

    def checked() -> None:
        viewer = current_viewer()
        try:
            if not may(viewer):
                raise NotAllowed
            if order_id is not None:
                with viewer_transaction(viewer.account_id) as connection:
                    check_order(connection, viewer, order_id)
            draw(*arguments)
        except (NotAllowed, NotFound) as error:
            st.session_state[_REFUSED] = str(error)
            close()
            st.rerun()

    def drawn() -> None:
        with showing_errors():
            checked()

    st.dialog(title, width=width, on_dismiss=close)(for_this_viewer(drawn))()


def close() -> None:
    st.session_state.pop(_OPEN, None)


def show_said() -> None:
    """Says once what the last action did."""
    if said := st.session_state.pop(_SAID, None):
        # A toast is Markdown; this one is only our own words and values that are escaped for it.
        st.toast(markdown_text(said), icon=":material/check:", duration="long")
    if refused := st.session_state.pop(_REFUSED, None):
        st.toast(markdown_text(refused), icon=":material/block:", duration="long")


def submit(
    errors: Mapping[str, DeltaGenerator],
    order_id: int | None,
    action: Action[P],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Does what the dialog asked about, once, and closes it; a refusal is shown in it and nothing is lost.

    `errors` are empty elements by field name, for errors beside what was typed; "" is for all others.
    """
    dialog = asked()
    if dialog is None:  # pressed a second time while the first press was closing it
        st.rerun()
    viewer = current_viewer()
    request = ActionRequest(key=dialog["key"], address=client_address(), order_id=order_id)
    try:
        said = st.session_state[_SAID] = perform(viewer, request, action, *args, **kwargs)
    except SupportError as error:
        field = (error.field or "") if isinstance(error, InvalidInput) else ""
        errors.get(field, errors[""]).html(
            f'<div class="es-field-error" role="alert">{html_text(error)}</div>'
        )
        return
    # Said at once, where the person looks. Drawing the page again, which closes the dialog and says it in a toast,
    # takes longer, and would take the line along if it were not on its way by then.
    errors[""].html(f'<div class="es-done" role="status">{html_text(said)}</div>')
    time.sleep(_ON_ITS_WAY)
    close()
    st.rerun()
