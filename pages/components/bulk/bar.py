"""The bar that takes the toolbar's position while orders are ticked: how many, the whole search, and what to do."""

from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.bulk.dialogs import bulk_dialog
from pages.components.bulk.labels import LABELS, orders_words
from pages.components.bulk.ticks import clear_ticks, tick, ticked
from pages.components.layout.dialogs import open_dialog, tell_later
from pages.components.layout.session import current_viewer
from services.bulk.actions import ACTIONS
from services.bulk.preview import find_selected
from services.errors import SupportError
from services.orders.filters import OrderFilter
from services.orders.search import OrderCount

_MENU: Final = "bulk_menu"
_KINDS: Final = {LABELS[kind].menu: kind for kind in ACTIONS}


def bulk_bar(search_number: int, search: OrderFilter, count: OrderCount | None) -> None:
    """Draw the bar inside the toolbar's container; some orders are ticked."""
    chosen = ticked(search_number)
    st.html(f'<div class="es-ticked" role="status">{len(chosen):,} ticked</div>', width="content")
    if count is None or count.is_more or count.number > len(chosen):
        number = orders_words(count.number) if count and not count.is_more else "orders"
        st.button(
            f"Take all {number} of this search",
            key="bulk_take_all",
            type="tertiary",
            on_click=_take_all,
            args=(search_number, search),
        )
    st.menu_button("Actions", list(_KINDS), key=_MENU, on_click=_open, args=(search_number,))
    st.button("Clear", key="bulk_clear", type="tertiary", on_click=clear_ticks)


def _take_all(search_number: int, search: OrderFilter) -> None:
    viewer = current_viewer()
    try:
        with viewer_transaction(viewer.account_id) as connection:
            tick(search_number, find_selected(connection, viewer, search))
    except SupportError as error:
        tell_later(str(error), refused=True)


def _open(search_number: int) -> None:
    kind = _KINDS.get(st.session_state.get(_MENU) or "")
    if kind is not None and (chosen := ticked(search_number)):
        open_dialog(bulk_dialog(kind, chosen))
