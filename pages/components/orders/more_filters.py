"""The fields of the search form behind More, in groups: dates, customer, purchase, status."""

from collections.abc import Mapping

import streamlit as st

from db.schema.statuses import SubscriptionFilter
from pages.components.layout.day_field import day_field
from pages.components.orders.filter_options import filter_options
from pages.components.orders.form_fields import (
    DATE_LABELS,
    PERIOD_LABELS,
    STATUS_GROUPS,
    SUBSCRIPTION_WORDS,
    choice_field,
    draw_error,
    field_key,
    status_key,
    text_field,
)
from services.access import Viewer
from services.money import currencies
from services.orders.filter_values import FilterValues, country_label
from services.orders.filters import PERIODS
from services.orders.periods import Period


def more_filters(viewer: Viewer, errors: Mapping[str, str]) -> None:
    """Draw the fields, each error below its own."""
    options = filter_options(viewer)
    _dates(errors)
    _customer(options, errors)
    _purchase(options, errors)
    _statuses(viewer, options, errors)


def _dates(errors: Mapping[str, str]) -> None:
    columns = iter(st.columns([0.9, 1, 1, 0.9, 1, 1], gap="small"))
    for period, days in PERIODS.items():
        with next(columns):
            st.selectbox(
                PERIOD_LABELS[period],
                list(Period),
                index=None,
                format_func=lambda choice: choice.label,
                key=field_key(period),
                placeholder="Any",
            )
            draw_error(errors, period)
        for name in days:
            with next(columns):
                day_field(DATE_LABELS[name], key=field_key(name))
                draw_error(errors, name)


def _customer(options: FilterValues, errors: Mapping[str, str]) -> None:
    columns = st.columns(5, gap="small")
    for column, name in zip(columns[:4], ("first_name", "last_name", "company", "vat_number"), strict=True):
        with column:
            text_field(name, errors)
    with columns[4]:
        labels = {country: country_label(country) for country in options.countries}
        choice_field("country", options.countries, errors, labels=labels)


def _purchase(options: FilterValues, errors: Mapping[str, str]) -> None:
    columns = st.columns([1.6, 1.1, 1.2, 0.8, 0.8, 0.8], gap="small")
    with columns[0]:
        text_field("product", errors)
    with columns[1]:
        choice_field("payment_method", options.payment_methods, errors)
    for column, name in zip(columns[2:5], ("card_last_4", "total_from", "total_to"), strict=True):
        with column:
            text_field(name, errors)
    with columns[5]:
        # Those of the viewer's stores first.
        choice_field(
            "currency", list(dict.fromkeys((*options.currencies, *currencies()))), errors, may_type=False
        )


def _statuses(viewer: Viewer, options: FilterValues, errors: Mapping[str, str]) -> None:
    groups, choices = st.columns([2.2, 1], gap="medium")
    with groups:
        st.html('<div class="es-group-label">Order status</div>')
        for column, (name, statuses) in zip(st.columns([1, 1, 1.7], gap="small"), STATUS_GROUPS, strict=True):
            with column:
                for status in statuses:
                    st.checkbox(status.label, key=status_key(name, status))
    with choices:
        titles = {store.name: store.name for store in viewer.stores}
        st.multiselect("Store", list(titles), key=field_key("stores"), placeholder="All your stores")
        st.selectbox(
            "Subscription",
            list(SubscriptionFilter),
            format_func=SUBSCRIPTION_WORDS.__getitem__,
            key=field_key("subscription"),
        )
        choice_field("refund_reason", options.reasons, errors)
