"""Trouble with connections, for administrators: a number in the navigation, a line on the Administration page."""

from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.session import current_viewer
from services.access import Viewer
from services.connections.listing import count_in_trouble

_SECONDS: Final = 30


def count_trouble(viewer: Viewer | None) -> int:
    """The number of connections in trouble, at most half a minute old; 0 for everybody but administrators."""
    if viewer is None or not viewer.may_administer:
        return 0
    return _count(viewer)


# All administrators have the same answer: the viewer, whose name begins with a line, is no part of the key.
@st.cache_data(ttl=_SECONDS, show_spinner=False)
def _count(_viewer: Viewer) -> int:
    with viewer_transaction(_viewer.account_id) as connection:
        return count_in_trouble(connection, _viewer)


def forget_trouble() -> None:
    """Let the next page count again: something about a connection was just changed."""
    _count.clear()


def connection_trouble() -> None:
    """Say that a connection needs looking at, if one does."""
    number = count_trouble(current_viewer())
    if number:
        subject = "A connection is" if number == 1 else f"{number} connections are"
        st.error(f"{subject} in trouble. See Connections.", icon=":material/sync_problem:")
