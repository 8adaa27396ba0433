"""What the refund queue is limited to: store, reason, operator, age."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from services.access import Viewer
from services.refunds.queue import QueueFigures, QueueFilter, QueueView

_KEYS: Final = ("queue_stores", "queue_reason", "queue_operator", "queue_age")
_OVERDUE: Final = -1
_AGES: Final = {
    None: "Any age",
    _OVERDUE: "Older than the checkout page's limit",
    24: "Older than a day",
    72: "Older than three days",
    168: "Older than a week",
}


def queue_filters(
    viewer: Viewer, figures: QueueFigures, view: QueueView, *, on_change: Callable[[], None]
) -> QueueFilter:
    """Draw *Filter* and, while something is overdue, the wish to see that first."""
    is_closed = view is QueueView.CLOSED
    stores, reason, operator, age = _fields(viewer, figures, view, on_change)
    overdue_first = False
    if figures.overdue and not is_closed:
        overdue_first = st.toggle("Overdue first", key="queue_overdue_first", on_change=on_change)
    queue_filter = QueueFilter(
        stores=tuple(stores),
        reason=reason.strip(),
        operator=operator,
        older_than_hours=age if age is not None and age > 0 else None,
        only_overdue=age == _OVERDUE,
        overdue_first=overdue_first,
    )
    if queue_filter.number:
        st.button(
            f"Clear {queue_filter.number} {'condition' if queue_filter.number == 1 else 'conditions'}",
            key="queue_clear",
            type="tertiary",
            on_click=_clear,
            args=(on_change,),
        )
    return queue_filter


def _fields(
    viewer: Viewer, figures: QueueFigures, view: QueueView, on_change: Callable[[], None]
) -> tuple[list[str], str, int | None, int | None]:
    names = dict(figures.operators)
    is_closed = view is QueueView.CLOSED
    with st.popover("Filter", icon=":material/filter_list:", key="queue_filter"):
        stores = st.multiselect(
            "Store",
            [store.name for store in viewer.stores],
            key="queue_stores",
            on_change=on_change,
            placeholder="All of mine",
        )
        reason = st.selectbox(
            "Reason",
            figures.reasons,
            index=None,
            key="queue_reason",
            on_change=on_change,
            placeholder="Any; or type a part of it",
            accept_new_options=True,
        )
        operator = st.selectbox(
            "Closed by" if is_closed else "Taken by",
            [None, *names],
            format_func=lambda account: names.get(account, "Anybody"),
            key="queue_operator",
            on_change=on_change,
        )
        age = st.selectbox(
            "Age",
            list(_AGES),
            format_func=_AGES.__getitem__,
            key="queue_age",
            on_change=on_change,
            disabled=is_closed,
        )
    return stores, (reason or "")[:200], operator, age


def _clear(on_change: Callable[[], None]) -> None:
    for key in _KEYS:
        st.session_state.pop(key, None)
    on_change()
