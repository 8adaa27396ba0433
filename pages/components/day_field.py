"""A field for a day: typed in, or chosen in the calendar that opens when the cursor is in it.

Streamlit's own field keeps a text that is no day to the browser, and the server goes on with the day before it, or with
none. What is typed here always arrives, so that the server can say that it is no day (`services.days.parse_day`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

# By which calendar.js knows these fields.
_PLACEHOLDER: Final = "DD/MM/YYYY"
_calendar = st.components.v2.component(
    "esupport_calendar",
    html="<span></span>",
    js=(Path(__file__).parent / "calendar.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def day_field(label: str, *, key: str, on_change: Callable[[], None] | None = None) -> str:
    """Draws the field; what stands in it."""
    return (
        st.text_input(
            label, key=key, placeholder=_PLACEHOLDER, autocomplete="off", max_chars=60, on_change=on_change
        )
        or ""
    )


def draw_calendar() -> None:
    """Once a page, outside of forms: what opens below its fields for days."""
    _calendar(key="calendar_script")
