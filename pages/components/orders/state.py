"""The state of the Orders page, as one value: the search, its page, the view and the open order.

The browser's address and this value agree. A click changes the value, and `publish` writes it to the address as one
entry of the browser's history; when the address of a run differs from what was written last, the browser has gone back,
forward or elsewhere, and the whole value is made anew from the address.
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
    # Which of the page's orders the key that led to this page opens: the first (0) or the last (-1).
    opens_at: int | None = None
    # The only result was opened without a click; the address does not name it and stays as it is.
    is_order_implied: bool = False

    def address(self) -> dict[str, str]:
        """The parameters of the address that leads to this state; they hold no personal data."""
        parameters: dict[str, str] = {}
        if not self.search.is_empty:
            parameters[_SEARCH] = self.key
        if self.view is View.FULL:
            parameters[_VIEW] = "full"
        if self.cursor is not None:
            parameters[self.cursor[0]] = str(self.cursor[1])
        if self.order is not None and not self.is_order_implied:
            parameters[_ORDER] = str(self.order)
        return parameters


@dataclass(slots=True)
class _StoredState:
    """The state, its address, and the previous address, which a browser that lags behind still sends."""

    state: OrdersState
    written: dict[str, str]
    before: dict[str, str]
    is_acted: bool = False  # a click in this run changed the state; its address is not written yet


def current() -> OrdersState:
    """The state of this tab; call it only after `take_up` has run once."""
    stored: _StoredState = st.session_state[KEY]
    return stored.state


def change(**changes: Any) -> OrdersState:
    """Change the state; `publish` writes its address."""
    stored: _StoredState = st.session_state[KEY]
    stored.is_acted = True
    stored.state = replace(stored.state, **changes)
    return stored.state


def note(**values: Any) -> None:
    """Add results to the state, without a change of what was asked for."""
    stored: _StoredState = st.session_state[KEY]
    stored.state = replace(stored.state, **values)


def forget_errors() -> None:
    """Forget the errors of a form that is filled anew, except that the address's search no longer exists."""
    errors = current().errors
    note(errors={"": errors[""]} if "" in errors else {})


def start_search(viewer: Viewer, search: OrderFilter) -> OrdersState:
    """Start a new search: show its first page, with no order open unless it is the only result."""
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
    """Called first in each run of the page: make the state when there is none or when the address overrides it.

    Returns whether it was made anew, in which case the form has to be filled.
    """
    stored: _StoredState | None = st.session_state.get(KEY)
    asked = _asked()
    if stored is not None:
        if asked == stored.written or (stored.is_acted and asked == stored.before):
            return False
        if not asked and _comes_from_another_page():
            stored.is_acted = True  # the menu's link has no parameters: show what was left here
            return False
        dialogs.close()  # it was about an order that is no longer shown
    number = 0 if stored is None else stored.state.number + 1
    state = _made_of(asked, number=number, is_first=stored is None)
    st.session_state[KEY] = _StoredState(state, written=asked, before=asked)
    return True


def follow_address() -> None:
    """Called in each run of the results alone: run the whole page again when the address has changed since."""
    stored: _StoredState = st.session_state[KEY]
    if _asked() not in (stored.written, stored.before):
        st.rerun()


def publish() -> None:
    """Write the state that a click has changed to the address, as one step of the browser's history; nothing else
    writes it.

    The address that a person arrived with is not rewritten, whatever it contains: Back would lead to it again and
    again.
    """
    stored: _StoredState = st.session_state[KEY]
    if not stored.is_acted:
        return
    stored.is_acted = False
    address = stored.state.address()
    if address != stored.written:
        stored.before, stored.written = stored.written, address
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
        # A followed link to an order opens it; going back to a step where it was closed does not.
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
