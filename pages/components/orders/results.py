"""The results of a search: count, table or full view, paging, export; and the chosen order."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy import Connection

from db.connections.engine import viewer_transaction
from db.connections.replica import read
from pages.components.bulk.bar import bulk_bar
from pages.components.bulk.progress import run_progress
from pages.components.bulk.results import open_runs
from pages.components.bulk.ticks import tick_shown, ticked
from pages.components.exports.options import export_buttons
from pages.components.exports.progress import export_progress
from pages.components.layout.dialogs import Screen, draw_dialog
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import current_viewer, time_zone
from pages.components.orders import state as orders_state
from pages.components.orders.answers import redraw_when_answered
from pages.components.orders.keys import arrive, order_keys
from pages.components.orders.state import OrdersState, View
from pages.components.orders.table import ROWS_BESIDE_AN_ORDER, Choices, order_table
from pages.components.orders.view import draw_order
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.errors import OrderNotFound
from services.orders.detail import get_order, get_orders
from services.orders.filters import OrderFilter
from services.orders.models import OrderDetail
from services.orders.search import (
    Cursor,
    OrderCount,
    OrderPage,
    OrderRow,
    count_orders,
    find_orders,
    missing_ids,
)
from services.text.links import safe_link

_VIEW_KEY: Final = "results_view"
_RUNS: Final = "What you did to many orders at once, with the result for each"
_OPENED: Final = "orders_opened"  # the order that was opened last, until another one is
PAGE_ROWS: Final = {View.TABLE: 50, View.FULL: 10}


@fragment
def order_results() -> None:
    """Draw the results in a fragment, so that choosing a row or turning a page does not run the form again."""
    with showing_errors():
        _results()


def _results() -> None:
    viewer, zone = current_viewer(), time_zone()
    orders_state.follow_address()
    state = orders_state.current()
    page, missing = _find(viewer, state)
    state = orders_state.current()
    orders_state.publish()
    _toolbar(viewer, state, zone)
    run_progress(viewer)
    if missing:
        st.html(f'<div class="es-hint">{html_text(missing)}</div>')
    if state.view is View.FULL:
        _draw_full(viewer, tuple(row.order_id for row in page.rows))
    elif not _is_aside(page, state):
        _table(viewer, page, state, zone)
    if not page.rows and state.order is None:
        _nothing_found(viewer, state.search)
    _paging(page, state)
    order_keys(page, state)
    if state.view is View.TABLE and state.order is not None:
        _open_order(viewer, state.order)
    draw_dialog(Screen.ORDERS)


def _find(viewer: Viewer, state: OrdersState) -> tuple[OrderPage, str | None]:
    """This page of the search, and a sentence about IDs without an order. A search is counted once, and opens its only
    result once.
    """

    def search(connection: Connection) -> tuple[OrderPage, OrderCount, str | None]:
        page = _page(connection, viewer, state)
        count = state.count or count_orders(connection, viewer, state.search, page=page)
        return page, count, _missing(connection, viewer, state.search)

    page, count, missing = read(viewer.account_id, viewer.store_ids, search)
    if count != state.count:
        orders_state.note(count=count)
    if state.opens_only_result:
        is_only = len(page.rows) == 1 and count.number == 1 and state.view is View.TABLE
        orders_state.note(opens_only_result=False, order=page.rows[0].order_id if is_only else state.order)
    arrive(page, state)
    return page, missing


def _is_aside(page: OrderPage, state: OrdersState) -> bool:
    """Whether the open order is missing from this page, so that the table would only push it down."""
    is_open = state.view is View.TABLE and state.order is not None
    return is_open and all(row.order_id != state.order for row in page.rows)


def _table(viewer: Viewer, page: OrderPage, state: OrdersState, zone: ZoneInfo) -> None:
    """Draw the rows; with an open order only those around it, so that the chosen row and the order are both visible."""
    rows, chosen = page.rows, None
    if not rows:
        return
    if state.order is not None:
        index = next(n for n, row in enumerate(rows) if row.order_id == state.order)
        start = max(0, min(index - ROWS_BESIDE_AN_ORDER // 2, len(rows) - ROWS_BESIDE_AN_ORDER))
        rows = rows[start : start + ROWS_BESIDE_AN_ORDER]
        chosen = index - start
    choices = Choices(chosen, _ticked_rows(viewer, state, rows), _choose, partial(_tick, rows))
    with st.container(key="results_beside" if state.order is not None else "results_alone"):
        order_table(rows, zone, key=f"orders_{state.number}", choices=choices)


def _ticked_rows(viewer: Viewer, state: OrdersState, rows: Sequence[OrderRow]) -> frozenset[int] | None:
    """Which of the rows are ticked; None for those who cannot do anything with ticked ones."""
    if not viewer.may_act:
        return None
    chosen = set(ticked(state.number))
    return frozenset(n for n, row in enumerate(rows) if row.order_id in chosen)


def _tick(rows: Sequence[OrderRow], chosen: Sequence[OrderRow]) -> None:
    shown = {row.order_id for row in rows}
    tick_shown(orders_state.current().number, shown, [row.order_id for row in chosen])


def _choose(row: OrderRow | None) -> None:
    orders_state.change(order=None if row is None else row.order_id, is_order_implied=False)


def _page(connection: Connection, viewer: Viewer, state: OrdersState) -> OrderPage:
    kwargs: dict[str, Cursor] = {state.cursor[0]: state.cursor[1]} if state.cursor else {}
    return find_orders(connection, viewer, state.search, limit=PAGE_ROWS[state.view], **kwargs)


def _missing(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> str | None:
    if not order_filter.values.asked_orders:
        return None
    number, first = missing_ids(connection, viewer, order_filter)
    if not number:
        return None
    shown = ", ".join(first)
    return f"Not among your orders: {shown}" + (
        f" and {number - len(first):,} more." if number > len(first) else "."
    )


def _toolbar(viewer: Viewer, state: OrdersState, zone: ZoneInfo) -> None:
    if state.view is View.TABLE and ticked(state.number):
        with st.container(horizontal=True, key="results_toolbar", vertical_alignment="center", gap="small"):
            bulk_bar(state.number, state.search, state.count)
        export_progress(state.number)
        return
    number, is_more = (state.count.number, state.count.is_more) if state.count else (0, False)
    count = f"{number:,}{'+' if is_more else ''} {'order' if number == 1 else 'orders'}"
    with st.container(horizontal=True, key="results_toolbar", vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="es-found"><span class="es-count" role="status">{count}</span> '
            f'<span class="es-zone">times in {html_text(zone.key)}</span></div>',
            width="stretch",
        )
        if st.session_state.get(_VIEW_KEY) != state.view:
            st.session_state[_VIEW_KEY] = state.view.value
        st.segmented_control(
            "View",
            [view.value for view in View],
            key=_VIEW_KEY,
            label_visibility="collapsed",
            required=True,
            on_change=_switch_view,
        )
        # The content of the popover is made when it is opened, not at every click on a row.
        link = st.popover("Copy link", icon=":material/link:", key="copy_link", on_change="rerun")
        if link.open:
            link.caption("The link holds no personal data. A colleague sees what their own stores have.")
            link.code(_address(state), language=None, wrap_lines=True)
        export_buttons(state.key)
        if viewer.may_act:
            st.button("Runs", key="bulk_runs_list", type="tertiary", on_click=open_runs, help=_RUNS)
    export_progress(state.number)


def _address(state: OrdersState) -> str:
    base = st.context.url or ""
    root = base.split("?")[0].rstrip("/")
    return root if state.search.is_empty else f"{root}?s={state.key}"


def _switch_view() -> None:
    # A browser that has not received its value yet sends None; nobody has chosen anything then.
    if (chosen := st.session_state.get(_VIEW_KEY)) is not None:
        orders_state.change(view=View(chosen), cursor=None, order=None)


def _first_page() -> None:
    orders_state.change(cursor=None, order=None)


def _nothing_found(viewer: Viewer, order_filter: OrderFilter) -> None:
    if not viewer.stores and not viewer.may_administer:  # administrators see every store
        st.info("No store has been granted to you yet. Please ask an administrator for access to yours.")
        return
    if order_filter.is_empty:
        st.info("There are no orders in your stores yet. They appear here as soon as the shop sends them.")
        return
    st.info(
        "No order matches all of these filters together. Names, e-mails and phone numbers are compared whole, so "
        "check the spelling or take one filter away. Data that a customer had erased cannot be found.",
        icon=":material/search_off:",
    )


def _turn(direction: str, cursor: Cursor) -> Callable[[], None]:
    def turn() -> None:
        orders_state.change(cursor=(direction, cursor), order=None)

    return turn


def _paging(page: OrderPage, state: OrdersState) -> None:
    is_open = state.order is not None and state.view is View.TABLE
    leads_on = bool(page.previous or page.next) and not _is_aside(page, state)
    if not (leads_on or is_open):
        return
    with st.container(horizontal=True, key="results_paging", horizontal_alignment="right", gap="small"):
        if is_open:
            st.button("Close order", on_click=_close, type="tertiary", key="order_close", shortcut="Esc")
        if leads_on and page.previous:
            st.button("First", on_click=_first_page, type="tertiary", key="page_first")
            st.button(
                "Newer",
                icon=":material/chevron_left:",
                on_click=_turn("before", page.previous),
                key="page_newer",
            )
        if leads_on and page.next:
            st.button(
                "Older",
                icon=":material/chevron_right:",
                icon_position="right",
                on_click=_turn("after", page.next),
                key="page_older",
            )


def _draw_full(viewer: Viewer, order_ids: tuple[int, ...]) -> None:
    with viewer_transaction(viewer.account_id) as connection:
        orders = get_orders(connection, viewer, order_ids)
    for order in orders:
        _draw(order, viewer)
    redraw_when_answered(orders, viewer)


def _open_order(viewer: Viewer, order_id: int) -> None:
    try:
        is_opened = st.session_state.get(_OPENED) != order_id
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            order = get_order(connection, viewer, order_id, is_opened=is_opened)
        st.session_state[_OPENED] = order_id
    except OrderNotFound as error:
        st.warning(str(error), icon=":material/search_off:")
        return
    _draw(order, viewer)
    redraw_when_answered([order], viewer)


def _close() -> None:
    orders_state.change(order=None, is_order_implied=False)


def _draw(order: OrderDetail, viewer: Viewer) -> None:
    draw_order(
        order,
        viewer,
        zone=time_zone(),
        customer_page_url=safe_link(order.detail_url) or f"/o/{order.page_key}",
        key=f"order_{order.order_id}",
        order_link=_order_link,
    )


def _order_link(order_id: int) -> str:
    """The address of another order within the present search."""
    state = orders_state.current()
    return (
        f"/?order={order_id}"
        if state.search.is_empty
        else f"/?s={quote(state.key, safe='')}&order={order_id}"
    )
