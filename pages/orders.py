"""Orders: the form, what it found, and the order that is open."""

from collections.abc import Mapping

import streamlit as st

from db.engine import viewer_transaction
from pages.components.dialogs import show_said
from pages.components.errors import showing_errors
from pages.components.filter_chips import filter_chips
from pages.components.order_results import order_results, saved_key
from pages.components.search_form import fill_form, keep_form, search_form, typed_input, was_pressed
from pages.components.session import current_viewer, time_zone
from pages.components.style import page_style
from services.errors import NotFound
from services.order_filter import InvalidSearch, OrderFilter, SearchInput, parse_filter
from services.saved_searches import open_search


def _open_address() -> None:
    """On the first run of a browser's session: the search and the order that the address names."""
    state = st.session_state
    if "search_filter" in state:
        keep_form("orders", state.search_filter.typed)
        return
    state.search_filter = OrderFilter.empty(time_zone())
    state.search_errors = {}
    state.search_number = 0
    state.open_order = _order_in_address()
    if state.open_order is not None:
        state.opened_alone = (
            state.search_number
        )  # the address names the order: the only result does not push it aside
    if key := st.query_params.get("s"):
        viewer = current_viewer()
        try:
            with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
                state.search_filter = open_search(connection, viewer, key)
        except NotFound as error:
            state.search_errors = {"": str(error)}
            st.query_params.pop("s", None)
    fill_form(state.search_filter.typed)
    keep_form("orders", state.search_filter.typed)


def _order_in_address() -> int | None:
    number = st.query_params.get("order", "")
    return (
        int(number)
        if number.isascii() and number.isdigit() and len(number) <= 19
        else (-1 if number else None)
    )


def _search(typed: SearchInput) -> None:
    """Takes up a new search; with an error in it nothing is searched, and each error stands by its field."""
    state = st.session_state
    viewer = current_viewer()
    try:
        order_filter = parse_filter(typed, zone=time_zone())
    except InvalidSearch as error:
        state.search_errors = dict(error.errors)
        return
    state.search_errors = {}
    state.search_filter = order_filter
    state.search_number += 1
    state.open_order = None
    state.search_cursor = None
    st.query_params.pop("order", None)
    if order_filter.is_empty:
        st.query_params.pop("s", None)
    else:
        st.query_params["s"] = saved_key(viewer, order_filter)


def page() -> None:
    page_style()
    st.title("Orders", anchor=False)
    show_said()
    _open_address()
    state = st.session_state
    # A chip fills the form, which has to happen before the form is drawn.
    if (waiting := state.pop("search_waiting", None)) is not None:
        fill_form(waiting)
        _search(waiting)
    elif was_pressed():
        _search(typed_input())
    errors: Mapping[str, str] = state.search_errors
    search_form(current_viewer(), errors)
    if errors:
        st.warning(
            errors.get("") or "Nothing was searched. Please check the marked fields.", icon=":material/info:"
        )
        if "" not in errors:
            return
    changed = filter_chips(state.search_filter.typed)
    if changed is not None:
        state.search_waiting = changed
        st.rerun()
    order_results()


with showing_errors():
    page()
