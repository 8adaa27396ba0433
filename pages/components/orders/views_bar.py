"""Views and the orders opened last, beside the search: a click on a name searches, a list opens with the numbers.

The names are read once per tab. Numbers are counted when the list of views is opened, and at no other time.
"""

from typing import Any, Final

import streamlit as st

from db.connections.engine import viewer_transaction
from db.connections.replica import read
from pages.components.exports.options import choose_export
from pages.components.layout.dialogs import Dialog, open_dialog
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import current_viewer, time_zone
from pages.components.orders import state as orders_state
from pages.components.orders.search_form import choose
from pages.components.orders.state import View
from pages.components.orders.view_dialogs import VIEWS_KEY, change_dialog, save_dialog
from pages.rendering.escaping import html_text, label_text
from services.access import Viewer
from services.orders.opened import OpenedOrder, find_opened
from services.orders.search import OrderCount
from services.views.listing import count_views, find_views
from services.views.models import OrderView, with_periods

_BESIDE: Final = 6
_PRESSED: Final = "views_pressed"
_VIEWS_LIST, _RECENT_LIST = "views_list", "recent_list"


def views_bar() -> None:
    """Draw the row: the lists of views and of orders opened last, and the first views, one click each."""
    views = _views()
    searched = with_periods(orders_state.current().search.typed)
    with st.container(horizontal=True, key="views_bar", gap="small", vertical_alignment="center"):
        _lists()
        for view in [view for view in views if view.typed is not None][:_BESIDE]:
            is_shown = bool(searched.filled()) and view.typed == searched
            st.button(
                label_text(view.name),
                key=f"view_{view.id}",
                icon=":material/check:" if is_shown else None,
                help=f"View of the team {label_text(view.team.name)}" if view.team else None,
                on_click=_open,
                args=(view,),
            )


def _views(*, again: bool = False) -> tuple[OrderView, ...]:
    if again or VIEWS_KEY not in st.session_state:
        viewer = current_viewer()
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            st.session_state[VIEWS_KEY] = find_views(connection, viewer)
    views: tuple[OrderView, ...] = st.session_state[VIEWS_KEY]
    return views


def _open(view: OrderView) -> None:
    if view.typed is not None:
        choose_export(view.export.rows, view.export.format, view.export.columns)
        choose(view.typed)


@fragment
def _lists() -> None:
    with showing_errors(), st.container(horizontal=True, key="views_lists", width="content", gap="small"):
        views = st.popover("Views", icon=":material/bookmarks:", key=_VIEWS_LIST, on_change="rerun")
        if views.open:
            with views:
                _draw_views()
        opened = st.popover("Recent", icon=":material/history:", key=_RECENT_LIST, on_change="rerun")
        if opened.open:
            with opened:
                _draw_opened()
    if st.session_state.pop(_PRESSED, False):  # what was pressed changes more than this fragment
        st.rerun()


def _draw_views() -> None:
    viewer, zone = current_viewer(), time_zone()
    views = _views(again=True)
    counts = read(
        viewer.account_id,
        viewer.store_ids,
        lambda connection: count_views(connection, viewer, views, zone=zone),
    )
    if not views:
        st.html(
            '<p class="es-hint">A view is a search under a name, for you or for your team. Search for something, and '
            "save it here.</p>"
        )
    for view in views:
        _draw_view(view, counts.get(view.id))
    if orders_state.current().search.typed.filled():
        st.button(
            "Save this search", icon=":material/add:", key="view_save", on_click=_show, args=(save_dialog(),)
        )
    elif views:
        st.html('<p class="es-hint">A search can be saved here while it is shown.</p>')


def _draw_view(view: OrderView, count: OrderCount | None) -> None:
    with st.container(horizontal=True, key=f"view_line_{view.id}", gap="small", vertical_alignment="center"):
        st.button(
            label_text(view.name),
            key=f"view_listed_{view.id}",
            type="tertiary",
            disabled=view.typed is None,
            on_click=_press,
            args=(view,),
        )
        number = "–" if count is None else f"{count.number:,}{'+' if count.is_more else ''}"
        team = f'<span class="es-muted">{html_text(view.team.name)}</span> ' if view.team else ""
        st.html(f'<div class="es-view-count">{team}{number}</div>', width="stretch")
        st.button(
            "Change",
            key=f"view_change_{view.id}",
            type="tertiary",
            on_click=_show,
            args=(change_dialog(view),),
        )


def _press(view: OrderView) -> None:
    _leave_lists()
    _open(view)


def _show(dialog: Dialog[Any]) -> None:
    _leave_lists()
    open_dialog(dialog)


def _draw_opened() -> None:
    viewer: Viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        opened = find_opened(connection, viewer)
    if not opened:
        st.html('<p class="es-hint">The last ten orders that you open are listed here.</p>')
    for order in opened:
        with st.container(
            horizontal=True, key=f"recent_line_{order.order_id}", gap="small", vertical_alignment="center"
        ):
            st.button(
                label_text(order.order_name),
                key=f"recent_{order.order_id}",
                type="tertiary",
                on_click=_open_order,
                args=(order,),
            )
            st.html(f'<div class="es-view-count">{_customer(order)}</div>', width="stretch")


def _customer(order: OpenedOrder) -> str:
    if order.customer_erased:
        return '<em class="es-erased">deleted</em>'
    return f"<bdi>{html_text(order.customer)}</bdi>" if order.customer else "–"


def _open_order(order: OpenedOrder) -> None:
    _leave_lists()
    orders_state.change(order=order.order_id, view=View.TABLE, is_order_implied=False)


def _leave_lists() -> None:
    """Close the lists, and draw the whole page in the run that follows."""
    st.session_state[_PRESSED] = True
    st.session_state[_VIEWS_LIST] = st.session_state[_RECENT_LIST] = False
