"""The customer's page as a letter: who, the money, renewals that run, then orders with licences, mails and notes."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st

from db.schema.statuses import HistoryKind, status_labels
from pages.components.customers.access import access_buttons
from pages.components.layout.status_chips import chip
from pages.rendering.formatting import format_day, format_time
from pages.rendering.templates import pieces
from services.access import Viewer
from services.customers.models import CustomerPage, SameBy
from services.customers.page import COUNTED_TO
from services.money import format_money

_LABELS: Final = {SameBy.EMAIL: "Same e-mail", SameBy.PHONE: "Same phone number"}
_SWITCH: Final = "customer_by"
_NEITHER: Final = (
    "This order has neither an e-mail nor a phone number, so no other order can be found by them."
)
_ERASED: Final = (
    "The personal data of this customer was deleted at their request. No other order can be found by it."
)


def draw_customer(customer: CustomerPage, viewer: Viewer, zone: ZoneInfo) -> None:
    """Draw the page; buttons of administrators included."""
    view = _pieces(customer, zone)
    person = customer.person
    with st.container(key="customer_card", gap=None):
        with st.container(key="customer_band", horizontal=True, vertical_alignment="center", gap="small"):
            st.html(view.band(), width="stretch")
            access_buttons(person, viewer)
        if customer.by is None:
            st.html(view.empty(_ERASED if person.customer_erased else _NEITHER))
            return
        with st.container(key="customer_body", gap="small"):
            _switch(customer)
            left, right = st.columns([1.7, 1], gap="large")
            left.html(view.money() + view.orders())
            right.html(view.beside())
            _paging(customer)


def _pieces(
    customer: CustomerPage, zone: ZoneInfo
) -> Any:  # Any: a template's macros are known by name alone
    lines = customer.lines
    return pieces(
        "customer_letter.html.jinja",
        customer=customer,
        person=customer.person,
        mails=[line for line in lines if line.kind == HistoryKind.EMAIL],
        notes=[line for line in lines if line.kind == HistoryKind.NOTE],
        chips=lambda row: [
            chip(label) for label in status_labels(row.status, row.delivered, row.refund_status)
        ],
        money_of=format_money,
        time=lambda at: format_time(at, zone),
        day=lambda at: format_day(at.astimezone(zone)),
        zone=zone.key,
    )


def _switch(customer: CustomerPage) -> None:
    """By the e-mail or by the phone number, where the order has both."""
    person = customer.person
    numbers = {SameBy.EMAIL: person.email_orders, SameBy.PHONE: person.phone_orders}
    offered = [by for by in SameBy if numbers[by]]
    if len(offered) < 2:
        return
    key = f"{_SWITCH}_{person.order_id}"
    if st.session_state.get(key) != customer.by:
        st.session_state[key] = customer.by
    st.segmented_control(
        "Orders with",
        offered,
        key=key,
        format_func=lambda by: f"{_LABELS[by]} · {_number(numbers[by])}",
        label_visibility="collapsed",
        required=True,
        on_change=_choose,
        args=(key, person.order_id),
    )


def _number(number: int) -> str:
    return f"{COUNTED_TO:,}+" if number > COUNTED_TO else f"{number:,}"


def _choose(key: str, order_id: int) -> None:
    chosen = st.session_state.get(key)
    if chosen is not None:
        st.query_params.from_dict({"order": str(order_id), "by": str(chosen)})


def _paging(customer: CustomerPage) -> None:
    if not (customer.previous or customer.next):
        return
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", key="customer_paging"):
        if customer.previous:
            st.button("First", on_click=_turn, args=(customer, None, None), type="tertiary")
            st.button(
                "Newer",
                icon=":material/chevron_left:",
                on_click=_turn,
                args=(customer, "before", str(customer.previous)),
            )
        if customer.next:
            st.button(
                "Older",
                icon=":material/chevron_right:",
                icon_position="right",
                on_click=_turn,
                args=(customer, "after", str(customer.next)),
            )


def _turn(customer: CustomerPage, direction: str | None, cursor: str | None) -> None:
    address = {"order": str(customer.person.order_id), "by": str(customer.by)}
    if direction is not None and cursor is not None:
        address[direction] = cursor
    st.query_params.from_dict(address)
