"""The keys j and k: the next and the previous order of the results, beyond the page's end on the page that follows."""

from pathlib import Path
from typing import Final

import streamlit as st

from pages.components.orders import state as orders_state
from pages.components.orders.state import OrdersState, View
from services.orders.search import OrderPage

_KEY: Final = "order_keys"
_component = st.components.v2.component(
    "esupport_order_keys",
    html="<span></span>",
    js=(Path(__file__).parents[2] / "static" / "order_keys.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def order_keys(page: OrderPage, state: OrdersState) -> None:
    """Draw the component, once per run of the results; the full view, in which all orders are open, has no steps."""

    def step() -> None:
        go(page, state, is_next=st.session_state[_KEY].get("step") == "next")

    if state.view is View.TABLE:
        with st.container(key="order_keys_place"):
            name = next((row.order_name for row in page.rows if row.order_id == state.order), None)
            _component(key=_KEY, data={"open": name}, on_step_change=step)


def go(page: OrderPage, state: OrdersState, *, is_next: bool) -> None:
    """Open the order after or before the open one, without one the first of the page; at either end do nothing."""
    ids = [row.order_id for row in page.rows]
    index = 0
    if state.order in ids:
        index = ids.index(state.order) + (1 if is_next else -1)
    if 0 <= index < len(ids):
        orders_state.change(order=ids[index], is_order_implied=False)
    elif is_next and page.next is not None:
        orders_state.change(cursor=("after", page.next), order=None, opens_at=0)
    elif not is_next and page.previous is not None:
        orders_state.change(cursor=("before", page.previous), order=None, opens_at=-1)


def arrive(page: OrderPage, state: OrdersState) -> None:
    """Open the order that the key was meant for, once its page was read."""
    if state.opens_at is not None:
        order = page.rows[state.opens_at].order_id if page.rows else None
        orders_state.note(opens_at=None, order=order)
