"""The customer of an order: every order in scope with the same e-mail, or the same phone number.

Reached from an order; the address names the order, and never a person.
"""

import streamlit as st

from db.connections.replica import read
from pages.components.customers.letter import draw_customer
from pages.components.layout.dialogs import show_result
from pages.components.layout.errors import showing_errors
from pages.components.layout.session import current_viewer, time_zone
from pages.components.layout.style import page_style
from services.customers.models import SameBy
from services.customers.page import find_customer
from services.errors import InvalidInput, OrderNotFound
from services.orders.search import Cursor

_NO_SUCH_ORDER = -1


def page() -> None:
    page_style()
    st.title("Customer", anchor=False)
    show_result()
    if "order" not in st.query_params:
        st.info("Open an order, and press the number of its customer's other orders.")
        return
    viewer = current_viewer()
    order_id, by = _order(), _by()
    try:
        customer = read(
            viewer.account_id,
            viewer.store_ids,
            lambda connection: find_customer(
                connection, viewer, order_id, by=by, after=_cursor("after"), before=_cursor("before")
            ),
        )
    except OrderNotFound as error:
        st.warning(str(error), icon=":material/search_off:")
        return
    draw_customer(customer, viewer, time_zone())


def _order() -> int:
    number = st.query_params["order"]
    is_number = number.isascii() and number.isdigit() and len(number) <= 19
    return int(number) if is_number else _NO_SUCH_ORDER


def _by() -> SameBy | None:
    asked = st.query_params.get("by")
    return SameBy(asked) if asked in tuple(SameBy) else None


def _cursor(name: str) -> Cursor | None:
    """The cursor of the address; one that cannot be read begins at the newest order."""
    try:
        return Cursor.parse(st.query_params[name]) if name in st.query_params else None
    except InvalidInput:
        return None


with showing_errors():
    page()
