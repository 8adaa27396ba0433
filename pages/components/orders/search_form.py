"""The search form of the Orders page: the four commonest fields first, the rest behind More."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from pages.components.layout import unfinished
from pages.components.layout.day_field import day_field
from pages.components.layout.errors import field_error
from services.access import Viewer
from services.orders.filters import SearchInput
from services.text.fields import FieldError
from services.time_zones import day_text, parse_day

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
    "card_last_4": "Last 4 digits of Card Number",
}
DATE_LABELS = {
    "created_from": "Order creation date from",
    "created_to": "Order creation date to",
    "paid_from": "Order payment date from",
    "paid_to": "Order payment date to",
}
STATUS_GROUPS: Final[tuple[tuple[str, type[MainStatus | DeliveryStatus | RefundStatus]], ...]] = (
    ("statuses", MainStatus),
    ("delivery", DeliveryStatus),
    ("refunds", RefundStatus),
)
_FORM_OF = "search_form_of"
_PRESSED = "search_form_pressed"
_CHOSEN = "search_form_chosen"
_PLACEHOLDERS = {"order_ids": "A0012345678", "activation_code": "3 characters or more"}


def _key(name: str) -> str:
    return f"search_{name}"


def _status_key(name: str, status: str) -> str:
    return f"search_{name}_{status}"


@dataclass(frozen=True, slots=True)
class FormInput:
    """The form as it was filled in; `errors` holds, by field, the sentences about days that cannot be read."""

    typed: SearchInput
    errors: Mapping[str, str]


def keep_form(page: str) -> bool:
    """Claim the form for this page; return whether it belonged to another page or was forgotten, and must be filled."""
    was_elsewhere = st.session_state.get(_FORM_OF) != page or _key("order_ids") not in st.session_state
    st.session_state[_FORM_OF] = page
    return was_elsewhere


def fill_form(typed: SearchInput, *, also_unchanged: bool = False) -> None:
    """Put a search into the form, before the form is drawn.

    `also_unchanged` sends every field to the browser, which then drops what was typed there and not searched for.
    Without it, a field that has the same value already is not touched: somebody may be typing in it.
    """
    values: dict[str, Any] = {_key(name): getattr(typed, name) for name in TEXT_LABELS}
    values |= {_key(name): day_text(getattr(typed, name)) for name in DATE_LABELS}
    for name, statuses in STATUS_GROUPS:
        values |= {_status_key(name, status): status in getattr(typed, name) for status in statuses}
    values |= {_key("stores"): list(typed.stores), _key("subscription"): typed.subscription}
    for key, value in values.items():
        if also_unchanged or key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value


def typed_input() -> FormInput:
    """The present content of the form."""
    state = st.session_state
    # By the names of the fields; the list that a name comes from determines the type of its value.
    texts: dict[str, Any] = {name: state.get(_key(name)) or "" for name in TEXT_LABELS}
    days: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in DATE_LABELS:
        try:
            days[name] = parse_day(state.get(_key(name)) or "")
        except FieldError as error:
            errors[name] = str(error)
    ticked: dict[str, Any] = {
        name: frozenset(status for status in statuses if state.get(_status_key(name, status)))
        for name, statuses in STATUS_GROUPS
    }
    typed = SearchInput(
        **texts,
        **days,
        **ticked,
        stores=tuple(state.get(_key("stores")) or ()),
        subscription=state.get(_key("subscription")) or SubscriptionFilter.ANY,
    )
    return FormInput(typed, errors)


def take_input() -> FormInput | None:
    """The search that starts with this run: the form when its button was pressed, a search without one of its chips, or
    nothing.

    Call it before the form is drawn: one run then searches, draws errors beside their fields and shows the results.
    """
    state = st.session_state
    pressed = bool(state.pop(_PRESSED, False))
    chosen: SearchInput | None = state.pop(_CHOSEN, None)
    if chosen is not None:
        fill_form(chosen)
        return FormInput(chosen, {})
    return typed_input() if pressed else None


def choose(typed: SearchInput) -> None:
    """Search for this in the run that follows; for `on_click`."""
    st.session_state[_CHOSEN] = typed


def _press() -> None:
    st.session_state[_PRESSED] = True


def search_form(
    viewer: Viewer, errors: Mapping[str, str], *, button: str = "Find", stays_small: bool = False
) -> None:
    """Draw the form with each error below its field.

    The fields behind More are shown when one of them is used, unless the form `stays_small`.
    """
    with st.form("search", border=True):
        with st.container(key="search_first_row"):
            row = st.columns([1.25, 1.25, 1, 1.25, 0.62], vertical_alignment="top", gap="small")
            with row[0]:
                _ids(errors)
            for column, name in zip(row[1:4], ("email", "phone", "activation_code"), strict=True):
                with column:
                    _text(name, errors)
            with row[4]:
                st.html('<div class="es-label-gap"></div>')
                st.form_submit_button(
                    button,
                    type="primary",
                    width="stretch",
                    key="search_find",
                    shortcut="Ctrl+Enter",
                    on_click=_press,
                )
        more_errors = [
            name for name in errors if name not in ("order_ids", "email", "phone", "activation_code")
        ]
        with st.expander(
            "More", expanded=bool(more_errors) or (_has_more() and not stays_small), key="search_more"
        ):
            _more(viewer, errors)


def _more(viewer: Viewer, errors: Mapping[str, str]) -> None:
    for column, name in zip(st.columns(4, gap="small"), DATE_LABELS, strict=True):
        with column:
            day_field(DATE_LABELS[name], key=_key(name))
            _error(errors.get(name))
    names = ("first_name", "last_name", "company", "vat_number", "card_last_4")
    for column, name in zip(st.columns([1, 1, 1, 1, 1.1], gap="small"), names, strict=True):
        with column:
            _text(name, errors)
    groups, choices = st.columns([2.2, 1], gap="medium")
    with groups:
        st.html('<div class="es-group-label">Order status</div>')
        for column, (name, statuses) in zip(st.columns([1, 1, 1.7], gap="small"), STATUS_GROUPS, strict=True):
            with column:
                for status in statuses:
                    st.checkbox(status.label, key=_status_key(name, status))
    with choices:
        titles = {store.name: store.name for store in viewer.stores}
        st.multiselect("Store", list(titles), key=_key("stores"), placeholder="All your stores")
        st.selectbox(
            "Subscription",
            list(SubscriptionFilter),
            format_func=SUBSCRIPTION_WORDS.__getitem__,
            key=_key("subscription"),
        )


def _has_more() -> bool:
    """Whether More is open: a search that uses a field behind it keeps it open, so that the whole search is visible."""
    entered = typed_input()
    first: dict[str, Any] = {"order_ids": "", "email": "", "phone": "", "activation_code": ""}
    return bool(entered.errors) or replace(entered.typed, **first) != SearchInput()


def _ids(errors: Mapping[str, str]) -> None:
    # A text area, because a pasted column of IDs loses its line breaks in a one-line field.
    st.text_area(
        TEXT_LABELS["order_ids"], key=_key("order_ids"), height=68, placeholder=_PLACEHOLDERS["order_ids"]
    )
    _error(errors.get("order_ids"))


def _text(name: str, errors: Mapping[str, str]) -> None:
    st.text_input(TEXT_LABELS[name], key=_key(name), placeholder=_PLACEHOLDERS.get(name), autocomplete="off")
    _error(errors.get(name))


def _error(sentence: str | None) -> None:
    if sentence:
        field_error(st, sentence)


def _unfinished_search() -> SearchInput | None:
    entered = take_input()
    # A search with a day that cannot be read would come back without it.
    return entered.typed if entered is not None and not entered.errors else None


unfinished.register_form("search", unfinished.Form(_unfinished_search, choose))
