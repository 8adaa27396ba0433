"""The search form of the Orders page: the four commonest fields first, the rest behind More."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import streamlit as st

from db.schema.statuses import SubscriptionFilter
from pages.components.layout import unfinished
from pages.components.orders.form_fields import (
    CHOICES,
    DATE_LABELS,
    FIRST_ROW,
    STATUS_GROUPS,
    TEXT_LABELS,
    field_key,
    ids_field,
    status_key,
    text_field,
)
from pages.components.orders.more_filters import more_filters
from services.access import Viewer
from services.orders.filters import PERIODS, SearchInput
from services.text.fields import FieldError
from services.time_zones import day_text, parse_day

_FORM_OF = "search_form_of"
_PRESSED = "search_form_pressed"
_CHOSEN = "search_form_chosen"
# By period: it and its days, as the form was filled last.
_FILLED = "search_form_periods"


@dataclass(frozen=True, slots=True)
class FormInput:
    """The form as it was filled in; `errors` holds, by field, the sentences about days that cannot be read."""

    typed: SearchInput
    errors: Mapping[str, str]


def keep_form(page: str) -> bool:
    """Claim the form for this page; return whether it belonged to another page or was forgotten, and must be filled."""
    was_elsewhere = st.session_state.get(_FORM_OF) != page or field_key("order_ids") not in st.session_state
    st.session_state[_FORM_OF] = page
    return was_elsewhere


def fill_form(typed: SearchInput, *, also_unchanged: bool = False) -> None:
    """Put a search into the form, before the form is drawn.

    `also_unchanged` sends every field to the browser, which then drops what was typed there and not searched for.
    Without it, a field that has the same value already is not touched: somebody may be typing in it.
    """
    values: dict[str, Any] = {field_key(name): getattr(typed, name) for name in TEXT_LABELS}
    values |= {field_key(name): getattr(typed, name) or None for name in (*CHOICES, *PERIODS)}
    values |= {field_key(name): day_text(getattr(typed, name)) for name in DATE_LABELS}
    for name, statuses in STATUS_GROUPS:
        values |= {status_key(name, status): status in getattr(typed, name) for status in statuses}
    values |= {field_key("stores"): list(typed.stores), field_key("subscription"): typed.subscription}
    for key, value in values.items():
        if also_unchanged or key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
    st.session_state[_FILLED] = {
        period: (getattr(typed, period), *(getattr(typed, day) for day in days))
        for period, days in PERIODS.items()
    }


def typed_input() -> FormInput:
    """The present content of the form."""
    state = st.session_state
    # By the names of the fields; the list that a name comes from determines the type of its value.
    texts: dict[str, Any] = {name: state.get(field_key(name)) or "" for name in TEXT_LABELS}
    days: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in DATE_LABELS:
        try:
            days[name] = parse_day(state.get(field_key(name)) or "")
        except FieldError as error:
            errors[name] = str(error)
    days |= _periods(days, errors)
    ticked: dict[str, Any] = {
        name: frozenset(status for status in statuses if state.get(status_key(name, status)))
        for name, statuses in STATUS_GROUPS
    }
    typed = SearchInput(
        **texts,
        **days,
        **ticked,
        stores=tuple(state.get(field_key("stores")) or ()),
        subscription=state.get(field_key("subscription")) or SubscriptionFilter.ANY,
    )
    return FormInput(typed, errors)


def _periods(days: Mapping[str, date | None], errors: dict[str, str]) -> dict[str, Any]:
    """The periods, and the days where a period decides them: whichever was changed since the form was filled counts."""
    changes: dict[str, Any] = {}  # periods and days
    filled = st.session_state.get(_FILLED, {})
    for name, pair in PERIODS.items():
        chosen = st.session_state.get(field_key(name))
        before, *days_before = filled.get(name, (None, None, None))
        present = [days.get(day) for day in pair]
        changes[name] = chosen
        if any(day in errors for day in pair) or (chosen is None and before is None):
            continue
        if chosen == before:
            changes[name] = chosen if present == days_before else None
        elif present == days_before or not any(present):
            changes |= dict.fromkeys(pair)
        elif chosen is not None:
            errors[name] = "Please choose a period or write days, not both."
    return changes


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
                ids_field(errors)
            for column, name in zip(row[1:4], FIRST_ROW[1:], strict=True):
                with column:
                    text_field(name, errors)
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
        more_errors = [name for name in errors if name not in FIRST_ROW]
        with st.expander(
            "More", expanded=bool(more_errors) or (_has_more() and not stays_small), key="search_more"
        ):
            more_filters(viewer, errors)


def _has_more() -> bool:
    """Whether More is open: a search that uses a field behind it keeps it open, so that the whole search is visible."""
    entered = typed_input()
    first: dict[str, Any] = dict.fromkeys(FIRST_ROW, "")
    return bool(entered.errors) or replace(entered.typed, **first) != SearchInput()


def _unfinished_search() -> SearchInput | None:
    entered = take_input()
    # A search with a day that cannot be read would come back without it.
    return entered.typed if entered is not None and not entered.errors else None


unfinished.register_form("search", unfinished.Form(_unfinished_search, choose))
