"""What the Orders page shows, as one value: the search, its page, the view and the order that is open.

The browser's address and this value say the same. A click changes the value, and `publish` writes it to the address as
one entry of the browser's history; when the address of a run differs from what was written last, the browser has gone
back, forward or elsewhere, and the whole value is made anew from the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout import dialogs
from pages.components.layout.session import current_viewer, time_zone
from services.access import Viewer
from services.errors import InvalidInput, NotFound
from services.orders.filters import OrderFilter
from services.orders.saved_searches import open_search, save_search
from services.orders.search import Cursor, OrderCount

KEY: Final = "orders"
_SEARCH, _ORDER, _VIEW = "s", "order", "view"
_CURSORS: Final = ("after", "before")
_NAMES: Final = (_SEARCH, _ORDER, _VIEW, *_CURSORS)
_NO_SUCH_ORDER: Final = -1


class View(StrEnum):
    TABLE = "Table"
    FULL = "Full"


@dataclass(frozen=True, slots=True)
class OrdersState:
    """One search and what is shown of it. `key` is the saved search's; `cursor` is where its page begins.

    `number` tells one search of a tab from the next, the same one pressed twice included. `errors` are sentences by
    field; while there are any, nothing was searched and nothing of an earlier search is shown.
    """

    search: OrderFilter
    key: str
    number: int
    view: View = View.TABLE
    cursor: tuple[Literal["after", "before"], Cursor] | None = None
    order: int | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    count: OrderCount | None = None
    opens_only_result: bool = False
    # The only order found opened by itself at an address that does not name it, which stays as it is.
    is_order_implied: bool = False

    def address(self) -> dict[str, str]:
        """The parameters of the address that leads to the same again; nothing personal is in them."""
        found: dict[str, str] = {}
        if not self.search.is_empty:
            found[_SEARCH] = self.key
        if self.view is View.FULL:
            found[_VIEW] = "full"
        if self.cursor is not None:
            found[self.cursor[0]] = str(self.cursor[1])
        if self.order is not None and not self.is_order_implied:
            found[_ORDER] = str(self.order)
        return found


@dataclass(slots=True)
class _Kept:
    """The state, the address that stands for it, and the one before, which a browser that lags behind still sends."""

    state: OrdersState
    written: dict[str, str]
    before: dict[str, str]
    is_acted: bool = False  # a click of this run changed the state, and its address is not written yet


def current() -> OrdersState:
    """What is shown in this tab; to be asked only after `take_up` has run once."""
    kept: _Kept = st.session_state[KEY]
    return kept.state


def change(**changes: Any) -> OrdersState:
    """Changes what is shown; `publish` tells the address."""
    kept: _Kept = st.session_state[KEY]
    kept.is_acted = True
    kept.state = replace(kept.state, **changes)
    return kept.state


def note(**found: Any) -> None:
    """Adds what was found to the state; nobody asked for anything else to be shown."""
    kept: _Kept = st.session_state[KEY]
    kept.state = replace(kept.state, **found)


def forget_errors() -> None:
    """Forgets the errors of a form that is filled anew; the search that the address names is gone all the same."""
    errors = current().errors
    note(errors={"": errors[""]} if "" in errors else {})


def start_search(viewer: Viewer, search: OrderFilter) -> OrdersState:
    """Takes up a search that was asked for: its first page, and no order open but the only one that it finds."""
    return change(
        search=search,
        key=_saved_key(viewer, search),
        number=current().number + 1,
        cursor=None,
        order=None,
        errors={},
        count=None,
        opens_only_result=True,
        is_order_implied=False,
    )


def take_up() -> bool:
    """Once a run of the page, first thing: makes the state when there is none, or when the address won.

    Returns whether it was made anew, so that the form has to be filled with it.
    """
    kept: _Kept | None = st.session_state.get(KEY)
    asked = _asked()
    if kept is not None:
        if asked == kept.written or (kept.is_acted and asked == kept.before):
            return False
        if not asked and _comes_from_another_page():
            kept.is_acted = True  # the menu's link says nothing; what was left here is shown again
            return False
        dialogs.close()  # it asked about what is not shown any more
    number = 0 if kept is None else kept.state.number + 1
    state = _made_of(asked, number=number, is_first=kept is None)
    st.session_state[KEY] = _Kept(state, written=asked, before=asked)
    return True


def follow_address() -> None:
    """Once a run of the results alone: the whole page starts again when the address has changed meanwhile."""
    kept: _Kept = st.session_state[KEY]
    if _asked() not in (kept.written, kept.before):
        st.rerun()


def publish() -> None:
    """Writes what a click changed to the address, as one step of the browser's history; nothing else writes it.

    An address that somebody came by stays as it is, whatever stands in it: Back would lead to it again and again.
    """
    kept: _Kept = st.session_state[KEY]
    if not kept.is_acted:
        return
    kept.is_acted = False
    address = kept.state.address()
    if address != kept.written:
        kept.before, kept.written = kept.written, address
    if _asked() != address:
        others: dict[str, str | list[str]] = {
            name: st.query_params.get_all(name) for name in st.query_params if name not in _NAMES
        }
        st.query_params.from_dict({**others, **address})


def _asked() -> dict[str, str]:
    return {name: st.query_params[name] for name in _NAMES if name in st.query_params}


def _comes_from_another_page() -> bool:
    # Streamlit forgets a field that a run did not draw; Reports draws the same fields for itself.
    return "search_order_ids" not in st.session_state or st.session_state.get("search_form_of") != KEY


def _made_of(asked: Mapping[str, str], *, number: int, is_first: bool) -> OrdersState:
    viewer = current_viewer()
    search, key, errors = OrderFilter.empty(time_zone()), asked.get(_SEARCH, ""), {}
    if key:
        try:
            with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
                search = open_search(connection, viewer, key)
        except (NotFound, InvalidInput) as error:
            errors = {"": str(error)}
    if search.is_empty:
        key = _saved_key(viewer, search)
    return OrdersState(
        search=search,
        key=key,
        number=number,
        view=View.FULL if asked.get(_VIEW) == "full" else View.TABLE,
        cursor=_cursor(asked),
        order=_order(asked.get(_ORDER, "")),
        errors=errors,
        # Whoever follows a link to one order sees it; whoever goes back to where it was closed does not.
        opens_only_result=is_first and _ORDER not in asked,
        is_order_implied=is_first and _ORDER not in asked,
    )


def _order(number: str) -> int | None:
    if not number:
        return None
    is_number = number.isascii() and number.isdigit() and len(number) <= 19
    return int(number) if is_number else _NO_SUCH_ORDER


def _cursor(asked: Mapping[str, str]) -> tuple[Literal["after", "before"], Cursor] | None:
    for direction in _CURSORS:
        if direction in asked:
            try:
                return direction, Cursor.parse(asked[direction])
            except InvalidInput:
                return None
    return None


def _saved_key(viewer: Viewer, search: OrderFilter) -> str:
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        return save_search(connection, viewer, search)
