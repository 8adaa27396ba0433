"""A field for a day: typed in, or chosen in the calendar that opens when the cursor is in it.

Streamlit's own field keeps a text that is no day to the browser, and the server goes on with the day before it, or with
none. What is typed here always arrives, so that the server can say that it is no day (`services.time_zones.parse_day`).
"""

from collections.abc import Callable
from typing import Final

import streamlit as st

# By which calendar.js knows these fields.
_PLACEHOLDER: Final = "DD/MM/YYYY"


def day_field(label: str, *, key: str, on_change: Callable[[], None] | None = None) -> str:
    """Draws the field; what stands in it."""
    return (
        st.text_input(label, key=key, placeholder=_PLACEHOLDER, autocomplete="off", on_change=on_change) or ""
    )
