"""The fields of the search form: their labels, their keys in the session, and how each is drawn with its error."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from pages.components.layout.errors import field_error

SUBSCRIPTION_WORDS = {
    SubscriptionFilter.ANY: "Any",
    SubscriptionFilter.WITH: "With a subscription",
    SubscriptionFilter.ACTIVATED: "Auto-renewal activated",
    SubscriptionFilter.DEACTIVATED: "Auto-renewal deactivated",
}
TEXT_LABELS = {
    "order_ids": "Order IDs",
    "email": "Email",
    "phone": "Phone Number",
    "activation_code": "Activation code",
    "first_name": "First Name",
    "last_name": "Last Name",
    "company": "Company",
    "vat_number": "VAT Number",
    "country": "Country",
    "product": "Product or SKU",
    "payment_method": "Payment method",
    "card_last_4": "Last 4 digits of Card Number",
    "total_from": "Total from",
    "total_to": "Total to",
    "currency": "Currency",
    "refund_reason": "Reason for refund",
}
# Texts that are chosen from a list.
CHOICES: Final = frozenset({"country", "payment_method", "currency", "refund_reason"})
DATE_LABELS = {
    "created_from": "Order creation date from",
    "created_to": "Order creation date to",
    "paid_from": "Order payment date from",
    "paid_to": "Order payment date to",
}
PERIOD_LABELS = {"created_period": "Creation period", "paid_period": "Payment period"}
STATUS_GROUPS: Final[tuple[tuple[str, type[MainStatus | DeliveryStatus | RefundStatus]], ...]] = (
    ("statuses", MainStatus),
    ("delivery", DeliveryStatus),
    ("refunds", RefundStatus),
)
FIRST_ROW: Final = ("order_ids", "email", "phone", "activation_code")
_PLACEHOLDERS = {
    "order_ids": "A0012345678",
    "activation_code": "3 characters or more",
    "product": "Whole name or number",
    "total_from": "0.00",
    "total_to": "0.00",
}


def field_key(name: str) -> str:
    """The key of a field's widget in the session."""
    return f"search_{name}"


def status_key(name: str, status: str) -> str:
    return f"search_{name}_{status}"


def ids_field(errors: Mapping[str, str]) -> None:
    # A text area, because a pasted column of IDs loses its line breaks in a one-line field.
    st.text_area(
        TEXT_LABELS["order_ids"],
        key=field_key("order_ids"),
        height=68,
        placeholder=_PLACEHOLDERS["order_ids"],
    )
    draw_error(errors, "order_ids")


def text_field(name: str, errors: Mapping[str, str]) -> None:
    st.text_input(
        TEXT_LABELS[name], key=field_key(name), placeholder=_PLACEHOLDERS.get(name), autocomplete="off"
    )
    draw_error(errors, name)


def choice_field(
    name: str,
    values: Sequence[str],
    errors: Mapping[str, str],
    *,
    labels: Mapping[str, str] | None = None,
    may_type: bool = True,
) -> None:
    """A field whose value is chosen, or typed where it is in no list."""
    chosen = st.session_state.get(field_key(name))
    offered = list(values) if chosen is None or chosen in values else [*values, chosen]
    st.selectbox(
        TEXT_LABELS[name],
        offered,
        index=None,
        format_func=lambda value: (labels or {}).get(value, value),
        key=field_key(name),
        placeholder="Any",
        accept_new_options=may_type,
    )
    draw_error(errors, name)


def draw_error(errors: Mapping[str, str], name: str) -> None:
    if sentence := errors.get(name):
        field_error(st, sentence)
