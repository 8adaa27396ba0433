"""The number of refund requests that wait, in the navigation: as of half a minute ago at most."""

from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from services.access import Viewer
from services.refunds.queue import Waiting, count_waiting

_SECONDS: Final = 30


def queue_title(viewer: Viewer | None) -> str:
    """`Refund queue (3)`, `Refund queue (3, 1 overdue)`; without a number when nothing waits."""
    if viewer is None or not viewer.may_work_refund_queue:
        return "Refund queue"
    waiting = _count(viewer.store_ids, viewer)
    numbers = [f"{waiting.free:,}"] if waiting.free or waiting.overdue else []
    if waiting.overdue:
        numbers.append(f"{waiting.overdue:,} overdue")
    return f"Refund queue ({', '.join(numbers)})" if numbers else "Refund queue"


# All who see the same stores have the same answer.
@st.cache_data(ttl=_SECONDS, max_entries=500, show_spinner=False)
def _count(store_ids: tuple[int, ...], _viewer: Viewer) -> Waiting:
    with viewer_transaction(_viewer.account_id) as connection:
        return count_waiting(connection, _viewer)


def remember_waiting(viewer: Viewer, free: int, overdue: int) -> None:
    """Let the navigation count anew from its next draw on, when the queue shows other numbers than it does."""
    if _count(viewer.store_ids, viewer) != Waiting(free, overdue):
        _count.clear(viewer.store_ids, viewer)
