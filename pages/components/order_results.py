"""What a search found: count, table or full view, paging, export; and the order that was chosen."""

from collections.abc import Callable
from urllib.parse import quote
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy import Connection

from db.engine import viewer_transaction
from db.replica import read
from pages.components.errors import showing_errors
from pages.components.escape import html_text
from pages.components.export_options import export_buttons
from pages.components.export_progress import export_progress
from pages.components.order_dialogs import draw_dialog
from pages.components.order_table import ROWS_BESIDE_AN_ORDER, order_table
from pages.components.order_view import draw_order
from pages.components.session import current_viewer, time_zone
from services.access import Viewer
from services.errors import OrderNotFound
from services.links import safe_link
from services.order_detail import get_order, get_orders
from services.order_filter import OrderFilter
from services.order_search import (
    Cursor,
    OrderCount,
    OrderPage,
    OrderRow,
    count_orders,
    find_orders,
    missing_ids,
)
from services.order_shapes import OrderDetail
from services.saved_searches import save_search

TABLE_PAGE, FULL_PAGE = 50, 10


@st.fragment
def order_results() -> None:
    """A fragment, so that choosing a row or turning a page does not run the form again."""
    with showing_errors():
        _results()


def _results() -> None:
    state = st.session_state
    viewer, zone = current_viewer(), time_zone()
    order_filter: OrderFilter = state.search_filter
    full = state.get("results_view", "Table") == "Full"
    size = FULL_PAGE if full else TABLE_PAGE

    def search(connection: Connection) -> tuple[OrderPage, OrderCount, str | None]:
        page = _page(connection, viewer, order_filter, size)
        count = _count(connection, viewer, order_filter, page)
        return page, count, _missing(connection, viewer, order_filter)

    found, count, missing = read(viewer.account_id, viewer.page_ids, search)
    key = saved_key(viewer, order_filter)
    _toolbar(count, order_filter, key, zone)
    if missing:
        st.html(f'<div class="es-hint">{html_text(missing)}</div>')
    if not found.rows:
        _nothing_found(viewer, order_filter)
    elif full:
        _draw_full(viewer, tuple(row.order_id for row in found.rows))
    else:
        if len(found.rows) == 1 and count.number == 1 and state.get("opened_alone") != state.search_number:
            state.opened_alone = state.search_number  # one result opens itself, once
            state.open_order = found.rows[0].order_id
        _table(found, zone)
    _paging(found, size)
    if not full:
        _open_order(viewer)
    draw_dialog()


def _table(found: OrderPage, zone: ZoneInfo) -> None:
    """The rows; beside an open order only those around it, so that the chosen row and the order are both in view."""
    state = st.session_state
    rows, chosen = found.rows, None
    if (open_order := state.get("open_order")) is not None:
        place = next((n for n, row in enumerate(rows) if row.order_id == open_order), None)
        start = max(0, min((place or 0) - ROWS_BESIDE_AN_ORDER // 2, len(rows) - ROWS_BESIDE_AN_ORDER))
        rows = rows[start : start + ROWS_BESIDE_AN_ORDER]
        chosen = None if place is None else place - start
    # A selection belongs to one set of rows: other rows, or an order closed by its button, begin anew.
    key = f"orders_{state.search_number}_{rows[0].order_id}_{open_order}_{state.get('orders_closed', 0)}"
    order_table(rows, zone, key=key, chosen=chosen, on_choice=_choose)


def _choose(row: OrderRow | None) -> None:
    st.session_state.open_order = None if row is None else row.order_id
    if row is None:
        _forget_order_in_address()


def _count(connection: Connection, viewer: Viewer, order_filter: OrderFilter, page: OrderPage) -> OrderCount:
    """Counted once a search: turning a page or choosing a row does not count again."""
    state = st.session_state
    kept = state.get("search_count")
    if not kept or kept[0] != (state.search_number, order_filter):
        state.search_count = kept = (
            (state.search_number, order_filter),
            count_orders(connection, viewer, order_filter, page=page),
        )
    return kept[1]


def saved_key(viewer: Viewer, order_filter: OrderFilter) -> str:
    """Of the saved search, once a search as well: it is written, which a replica cannot."""
    state = st.session_state
    kept = state.get("search_key")
    if not kept or kept[0] != (state.search_number, order_filter):
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            state.search_key = kept = (
                (state.search_number, order_filter),
                save_search(connection, viewer, order_filter),
            )
    return str(kept[1])


def _page(connection: Connection, viewer: Viewer, order_filter: OrderFilter, size: int) -> OrderPage:
    direction, cursor = st.session_state.get("search_cursor") or (None, None)
    kwargs: dict[str, Cursor] = {direction: cursor} if direction and cursor else {}
    return find_orders(connection, viewer, order_filter, limit=size, **kwargs)


def _missing(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> str | None:
    if not order_filter.asked_orders:
        return None
    number, first = missing_ids(connection, viewer, order_filter)
    if not number:
        return None
    shown = ", ".join(first)
    return f"Not among your orders: {shown}" + (
        f" and {number - len(first):,} more." if number > len(first) else "."
    )


def _toolbar(count: OrderCount, order_filter: OrderFilter, key: str, zone: ZoneInfo) -> None:
    words = f"{count.number:,}{'+' if count.is_more else ''} {'order' if count.number == 1 else 'orders'}"
    with st.container(horizontal=True, key="results_toolbar", vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="es-found"><span class="es-count" role="status">{words}</span> '
            f'<span class="es-zone">times in {html_text(zone.key)}</span></div>',
            width="stretch",
        )
        st.segmented_control(
            "View",
            ["Table", "Full"],
            default="Table",
            key="results_view",
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        # What a popover holds is made when somebody opens it, and not at every click on a row.
        link = st.popover("Copy link", icon=":material/link:", key="copy_link", on_change="rerun")
        if link.open:
            link.caption("The link holds no personal data. A colleague sees what their own stores have.")
            link.code(_address(order_filter, key), language=None, wrap_lines=True)
        export_buttons(key)
    export_progress()


def _address(order_filter: OrderFilter, key: str) -> str:
    base = st.context.url or ""
    root = base.split("?")[0].rstrip("/")
    return root if order_filter.is_empty else f"{root}?s={key}"


def _first_page() -> None:
    st.session_state.search_cursor = None
    _close()


def _nothing_found(viewer: Viewer, order_filter: OrderFilter) -> None:
    if not viewer.stores and not viewer.may_administer:  # an administrator sees every store that there is
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
        st.session_state.search_cursor = (direction, cursor)
        _close()

    return turn


def _paging(found: OrderPage, size: int) -> None:
    is_open = st.session_state.get("open_order") is not None and size == TABLE_PAGE
    if not (found.previous or found.next or is_open):
        return
    with st.container(horizontal=True, key="results_paging", horizontal_alignment="right", gap="small"):
        if is_open:
            st.button("Close order", on_click=_close, type="tertiary", key="order_close", shortcut="Esc")
        if found.previous:
            st.button("First", on_click=_first_page, type="tertiary", key="page_first")
            st.button(
                "Newer",
                icon=":material/chevron_left:",
                on_click=_turn("before", found.previous),
                key="page_newer",
            )
        if found.next:
            st.button(
                "Older",
                icon=":material/chevron_right:",
                icon_position="right",
                on_click=_turn("after", found.next),
                key="page_older",
            )


def _draw_full(viewer: Viewer, order_ids: tuple[int, ...]) -> None:
    with viewer_transaction(viewer.account_id) as connection:
        orders = get_orders(connection, viewer, order_ids)
    for order in orders:
        _draw(order, viewer)


def _open_order(viewer: Viewer) -> None:
    order_id = st.session_state.get("open_order")
    if order_id is None:
        return
    try:
        with viewer_transaction(viewer.account_id) as connection:
            order = get_order(connection, viewer, order_id)
    except OrderNotFound as error:
        st.warning(str(error), icon=":material/search_off:")
        return
    st.query_params["order"] = str(order_id)
    _draw(order, viewer)


def _close() -> None:
    state = st.session_state
    state.open_order = None
    state.orders_closed = state.get("orders_closed", 0) + 1
    _forget_order_in_address()


def _forget_order_in_address() -> None:
    st.query_params.pop("order", None)


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
    """The address of another order, with the search that is open kept beside it."""
    search = st.query_params.get("s")
    return f"/?s={quote(search, safe='')}&order={order_id}" if search else f"/?order={order_id}"
