"""The two times between which messages are applied, or events sent, again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from pages.components.layout.dialogs import field_key
from pages.rendering.escaping import html_text

# Whoever empties a field means no limit on that side. The zone is added to both.
_FIRST = datetime(1970, 1, 2)  # noqa: DTZ001
_LAST = datetime(2200, 1, 1)  # noqa: DTZ001


def period_fields(zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Draw the fields From and To, at first the last day; returns aware times."""
    now = datetime.now(zone).replace(second=0, microsecond=0, tzinfo=None)
    with st.container(horizontal=True):
        since = st.datetime_input("From", value=now - timedelta(days=1), key=field_key("since"))
        until = st.datetime_input("To", value=now + timedelta(minutes=1), key=field_key("until"))
    st.html(f'<div class="es-hint">Times in {html_text(zone.key)}.</div>')
    return (since or _FIRST).replace(tzinfo=zone), (until or _LAST).replace(tzinfo=zone)
