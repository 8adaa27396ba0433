"""The two times between which messages are applied, or events sent, again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from pages.components.layout.dialogs import field_key


def period_fields(zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Draw the fields From and To, at first the last day; returns aware times."""
    now = datetime.now(zone).replace(second=0, microsecond=0, tzinfo=None)
    with st.container(horizontal=True):
        since = st.datetime_input(
            "From", value=now - timedelta(days=1), key=field_key("since"), required=True
        )
        until = st.datetime_input(
            "To", value=now + timedelta(minutes=1), key=field_key("until"), required=True
        )
    st.html(f'<div class="es-hint">Times in {zone.key}.</div>')
    # Whoever empties a field means no limit on that side.
    return (since or datetime(1970, 1, 2)).replace(tzinfo=zone), (until or datetime(2200, 1, 1)).replace(  # noqa: DTZ001
        tzinfo=zone
    )
