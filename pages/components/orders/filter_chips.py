"""The filters in force, each in words and with a cross that takes it away."""

from dataclasses import replace
from datetime import date

import streamlit as st

from pages.components.orders.search_form import STATUS_GROUPS, SUBSCRIPTION_WORDS, TEXT_LABELS, choose
from pages.rendering.escaping import label_text
from pages.rendering.formatting import format_day
from services.orders.filters import SearchInput
from services.text.keys import strip_edges

_LONGEST, _LONGEST_HELP = 40, 2_000
_SHORT = {"card_last_4": "Card", "order_ids": "Order IDs", "vat_number": "VAT"}


def active_filters(typed: SearchInput) -> list[tuple[str, dict[str, object]]]:
    """(words, what to set in the search to take it away) for every filter that is filled, in the form's order."""
    empty = SearchInput()
    found: list[tuple[str, dict[str, object]]] = []
    for name, label in TEXT_LABELS.items():
        if value := strip_edges(getattr(typed, name)):
            found.append((f"{_SHORT.get(name, label)}: {value}", {name: ""}))
    for prefix, words in (("created", "Created"), ("paid", "Paid")):
        start, end = getattr(typed, f"{prefix}_from"), getattr(typed, f"{prefix}_to")
        if start or end:
            found.append((f"{words} {_days(start, end)}", {f"{prefix}_from": None, f"{prefix}_to": None}))
    for name, statuses in STATUS_GROUPS:
        ticked = getattr(typed, name)
        for status in statuses:
            if status in ticked:
                found.append((status.label, {name: ticked - {status}}))
    for store in typed.stores:
        found.append((f"Store: {store}", {"stores": tuple(s for s in typed.stores if s != store)}))
    if typed.subscription is not empty.subscription:
        found.append((SUBSCRIPTION_WORDS[typed.subscription], {"subscription": empty.subscription}))
    return found


def filter_chips(typed: SearchInput) -> None:
    """Draws the chips; the next run searches without the one that was pressed, or without any (`take_input`)."""
    filters = active_filters(typed)
    if not filters:
        return
    with st.container(horizontal=True, key="search_chips", gap="small", vertical_alignment="center"):
        for number, (words, change) in enumerate(filters):
            st.button(
                label_text(_cut(words)),
                icon=":material/close:",
                icon_position="right",
                key=f"chip_{number}",
                type="secondary",
                help=None if _cut(words) == words else label_text(words[:_LONGEST_HELP]),
                on_click=choose,
                args=(replace(typed, **change),),  # type: ignore[arg-type]
            )
        st.button("Clear all", key="chip_clear", type="tertiary", on_click=choose, args=(SearchInput(),))


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _days(start: date | None, end: date | None) -> str:
    if start and end and start != end:
        return f"{format_day(start)} – {format_day(end)}"
    if start:
        return format_day(start)
    return f"up to {format_day(end)}" if end else ""
