"""A field for a day: typed in, or chosen in the calendar that opens when the cursor is in it.

Streamlit's own field does not send a text that is not a day; the server goes on with the previous day, or with none.
What is typed here always arrives, so that the server can refuse it (`services.time_zones.parse_day`).
"""

from collections.abc import Callable
from typing import Final

import streamlit as st

# How calendar.js recognises these fields.
_PLACEHOLDER: Final = "DD/MM/YYYY"


def day_field(label: str, *, key: str, on_change: Callable[[], None] | None = None) -> str:
    """Draw the field and return its text."""
    return (
        st.text_input(label, key=key, placeholder=_PLACEHOLDER, autocomplete="off", on_change=on_change) or ""
    )
