"""An open order draws itself anew when a shop or a provider answers; without an action that waits it asks nothing."""

import time
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import streamlit as st
from sqlalchemy.exc import DBAPIError

from db.connections.engine import viewer_transaction
from db.errors import AccountUnusable
from db.schema.connection_states import AwaitedState
from pages.components.layout.dialogs import current_dialog
from pages.components.layout.fragments import fragment
from services.access import Viewer
from services.events.awaiting import find_states
from services.orders.models import OrderDetail

_EVERY: Final = 2.0
# An answer that has not come by then may take days: from then on one look in this many is taken.
_PATIENCE: Final = 300.0
_ONE_IN: Final = 15


def redraw_when_answered(orders: Sequence[OrderDetail], viewer: Viewer) -> None:
    """Look every two seconds whether one of the orders' open actions has got further, and draw the page again then.

    Never over an open dialog, which would lose its place; the look after it has closed sees the same.
    """
    drawn = {action.id: action.state for order in orders for action in order.awaited if action.is_open}
    if drawn:
        fragment(_look, run_every=_EVERY)(drawn, viewer.account_id, time.monotonic())


def _look(drawn: Mapping[UUID, AwaitedState], account_id: int, drawn_at: float) -> None:
    looks = round((time.monotonic() - drawn_at) / _EVERY)
    is_skipped = looks * _EVERY > _PATIENCE and looks % _ONE_IN
    # The first call belongs to the run that has just drawn the order.
    if looks == 0 or is_skipped or current_dialog() is not None:
        return
    try:
        # Not by current_viewer(): a tab that nobody looks at must not keep its session from ending idle.
        with viewer_transaction(account_id) as connection:
            is_changed = find_states(connection, drawn) != drawn
    except AccountUnusable:
        is_changed = True  # the run that follows says so
    except DBAPIError:
        return  # what people do themselves tells them of a database that is away
    if is_changed:
        st.rerun()
