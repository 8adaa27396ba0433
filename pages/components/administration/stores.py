"""Checkout pages, for administrators."""

from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    field_key,
    may_administer,
    open_dialog,
    submit,
)
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text, label_text
from services.accounts.stores import (
    LONGEST_LIMIT_HOURS,
    ListedStore,
    change_store,
    find_payment_methods,
    find_stores,
)
from services.money_limits import cap_text
from services.time_zones import time_zones


class StoreSubject(NamedTuple):
    """A store, and the payment methods, each with whether its refunds get a document by default."""

    store: ListedStore
    methods: tuple[tuple[str, bool], ...]


@fragment
def stores() -> None:
    with showing_errors():
        _stores()


def _stores() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        listed, methods = find_stores(connection, viewer), find_payment_methods(connection, viewer)
    if not listed:
        st.info("There is no checkout page yet. Each appears with its first order.")
        return
    chosen = row_table(
        "store",
        _frame(listed, methods),
        [store.id for store in listed],
        rows_shown=12,
        alt="Checkout pages; choose a row to change it below",
        columns={
            "Checkout page": st.column_config.TextColumn(width=150),
            "Display name": st.column_config.TextColumn(width=200),
            "Delivery": st.column_config.TextColumn(width=100),
            "Another refund after a partial one": st.column_config.TextColumn(width=210),
            "Four eyes": st.column_config.TextColumn(width=100),
            "Second approval above": st.column_config.TextColumn(width=180),
            "Refund documents": st.column_config.TextColumn(width=260),
            "Time zone": st.column_config.TextColumn(width=140),
            "Customers are told": st.column_config.TextColumn(width=140),
            "Refund limit": st.column_config.TextColumn(width=100, alignment="right"),
        },
    )
    for store in listed:
        if store.id == chosen:
            with st.container(horizontal=True, vertical_alignment="center", key=f"store_{store.id}_band"):
                st.html(f"<h2><bdi>{html_text(store.title or store.name)}</bdi></h2>", width="stretch")
                st.button("Edit", on_click=open_dialog, args=(_edit_dialog(store, methods),), type="primary")
    draw_dialog(Screen.STORES)


def _frame(stores: tuple[ListedStore, ...], methods: tuple[tuple[str, bool], ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Checkout page": [store.name for store in stores],
            "Display name": [store.title for store in stores],
            "Delivery": ["allowed" if store.delivery_allowed else "not allowed" for store in stores],
            "Another refund after a partial one": [
                "allowed" if store.refund_again_after_partial else "not allowed" for store in stores
            ],
            "Four eyes": ["asked for" if store.refund_four_eyes else None for store in stores],
            "Second approval above": [cap_text(store.refund_approval_limits) or None for store in stores],
            "Refund documents": [", ".join(_documented(store, methods)) or None for store in stores],
            "Time zone": [store.time_zone for store in stores],
            "Customers are told": ["of refunds" if store.refund_mail else None for store in stores],
            "Refund limit": [
                None if store.refund_limit_hours is None else f"{store.refund_limit_hours:,} h"
                for store in stores
            ],
        }
    )


def _documented(store: ListedStore, methods: tuple[tuple[str, bool], ...]) -> list[str]:
    """The payment methods whose refunds get a document in this store."""
    if store.refund_document_methods is None:
        return [name for name, is_needed in methods if is_needed]
    return list(store.refund_document_methods)


def _edit_dialog(store: ListedStore, methods: tuple[tuple[str, bool], ...]) -> Dialog[StoreSubject]:
    return Dialog(
        Screen.STORES, "Edit checkout page", _form, StoreSubject(store, methods), may=may_administer
    )


def _form(subject: StoreSubject) -> None:
    store, methods = subject
    zones = [None, *time_zones()]
    names = [name for name, _ in methods]
    with st.form("dialog_store", border=False):
        st.html(f'<p class="es-mono"><bdi>{html_text(store.name)}</bdi></p>')
        title = st.text_input("Display name", value=store.title or "", key=field_key("title"))
        error = st.empty()
        is_delivery_allowed = st.checkbox(
            "Licences may be sent", value=store.delivery_allowed, key=field_key("delivery")
        )
        is_again_allowed, is_customer_told, limit = _refund_fields(store)
        documented = st.multiselect(
            "Refunds of these payment methods get a document",
            names,
            default=[name for name in _documented(store, methods) if name in names],
            format_func=label_text,
            key=field_key("methods"),
            placeholder="None",
        )
        is_four_eyes, limits, limits_error = _approval_fields(store)
        zone = st.selectbox(
            "Time zone",
            zones,
            index=zones.index(store.time_zone) if store.time_zone in zones else 0,
            format_func=lambda zone: zone or "None of its own",
            key=field_key("zone"),
        )
        is_pressed = st.form_submit_button("Save checkout page", type="primary")
    if is_pressed:
        submit(
            {"": error, "refund_approval_limits": limits_error},
            change_store,
            store.id,
            title=title or "",
            delivery_allowed=is_delivery_allowed,
            refund_again_after_partial=is_again_allowed,
            time_zone=zone,
            refund_document_methods=documented,
            refund_mail=is_customer_told,
            refund_limit_hours=limit,
            refund_four_eyes=is_four_eyes,
            refund_approval_limits=limits,
        )


def _approval_fields(store: ListedStore) -> tuple[bool, str, DeltaGenerator]:
    """Four eyes, the sums above which a second operator approves, and the place for an error beside them."""
    is_four_eyes = st.checkbox(
        "Four eyes: who requested a refund does not fulfil it",
        value=store.refund_four_eyes,
        key=field_key("eyes"),
    )
    limits = st.text_input(
        "A second operator approves refunds above",
        value=cap_text(store.refund_approval_limits),
        key=field_key("limits"),
        placeholder="EUR 500, USD 500, JPY 80000",
        help="An amount for every currency (500), or one for each. Earlier refunds of the same order count. "
        "In currencies that are not named every refund is approved. Empty: none is.",
    )
    return is_four_eyes, limits or "", st.empty()


def _refund_fields(store: ListedStore) -> tuple[bool, bool, int | None]:
    """Whether another refund may be requested, whether customers are told, and the limit in hours."""
    is_again_allowed = st.checkbox(
        "Another refund may be requested after a partial one",
        value=store.refund_again_after_partial,
        key=field_key("again"),
    )
    is_customer_told = st.checkbox(
        "Customers get an e-mail about their refund",
        value=store.refund_mail,
        key=field_key("refund_mail"),
        help="In the language of the order. The texts are under Texts.",
    )
    limit = st.number_input(
        "Refund requests are overdue after (hours)",
        min_value=1,
        max_value=LONGEST_LIMIT_HOURS,
        value=store.refund_limit_hours,
        step=1,
        placeholder="No limit",
        key=field_key("limit"),
    )
    return is_again_allowed, is_customer_told, limit
