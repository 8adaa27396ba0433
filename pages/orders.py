"""Orders: the box, the form, the results, and the open order."""

import streamlit as st

from pages.components.layout.dialogs import show_result
from pages.components.layout.errors import showing_errors
from pages.components.layout.session import current_viewer, time_zone
from pages.components.layout.style import page_style
from pages.components.orders import search_box
from pages.components.orders import state as orders_state
from pages.components.orders.filter_chips import filter_chips
from pages.components.orders.results import order_results
from pages.components.orders.search_form import FormInput, fill_form, keep_form, search_form, take_input
from pages.components.orders.views_bar import views_bar
from services.orders.filters import InvalidSearch, parse_filter


def _search(entered: FormInput) -> None:
    """Start a new search; if it has an error, nothing is searched, and each error is shown beside its field."""
    try:
        order_filter = parse_filter(entered.typed, zone=time_zone(), errors=entered.errors)
    except InvalidSearch as error:
        orders_state.change(errors=error.errors)
        return
    # The form shows the search as it was read: trimmed, and days in their standard form.
    fill_form(orders_state.start_search(current_viewer(), order_filter).search.typed)


def _search_box() -> None:
    """Start the search that the text in the box stands for; the form shows which fields it filled."""
    try:
        answer = search_box.take_box()
    except search_box.NothingRecognized as error:
        orders_state.change(errors={"": str(error)})
        return
    if answer is not None:
        _search(FormInput(answer.chosen.typed, {}))
        search_box.remember(answer, orders_state.current().number)


def page() -> None:
    page_style()
    st.title("Orders", anchor=False)
    show_result()
    entered = take_input()
    if orders_state.take_up():
        fill_form(orders_state.current().search.typed, also_unchanged=True)
        keep_form(orders_state.KEY)
    elif keep_form(orders_state.KEY):
        fill_form(orders_state.current().search.typed)
        orders_state.forget_errors()
    if entered is not None:
        _search(entered)
    else:
        _search_box()
    state = orders_state.current()
    search_box.forget_text(state.number)
    search_box.search_box(state.number)
    views_bar()
    search_form(current_viewer(), state.errors)
    if state.errors:
        # An error without a field is about the box, or about the address, whose search no longer exists.
        st.warning(
            state.errors.get("") or "Nothing was searched. Please check the marked fields.",
            icon=":material/info:",
        )
        orders_state.publish()
        return
    filter_chips(state.search.typed)
    order_results()


with showing_errors():
    page()
