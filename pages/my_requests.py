"""My refund requests: their progress and results."""

import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.statuses import RefundResult, RefundStatus
from pages.components.layout.errors import showing_errors
from pages.components.layout.session import current_viewer, time_zone
from pages.components.layout.status_chips import chip
from pages.components.layout.style import page_style
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.money import format_money
from services.refunds.requests import find_own_requests

_PAGE = 50


def page() -> None:
    page_style()
    st.title("My refund requests", anchor=False)
    viewer, zone = current_viewer(), time_zone()
    before = st.session_state.get("my_requests_before")
    with viewer_transaction(viewer.account_id) as connection:
        requests = find_own_requests(connection, viewer, before=before, limit=_PAGE + 1)
    if not requests:
        st.info(
            "You have requested no refund yet. Open a Paid order and press Request refund beside its total.",
            icon=":material/inbox:",
        )
    else:
        st.html(
            render(
                "my_requests.html.jinja",
                requests=requests[:_PAGE],
                zone=zone.key,
                chip=lambda status: chip(RefundStatus(status).label),
                results={result: result.label for result in RefundResult},
                time=lambda at: format_time(at, zone),
                money=format_money,
            )
        )
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(requests) > _PAGE:
            st.button("Older", on_click=_go_to, args=(requests[_PAGE - 1].request.id,))


def _go_to(before: int | None) -> None:
    st.session_state.my_requests_before = before


with showing_errors():
    page()
