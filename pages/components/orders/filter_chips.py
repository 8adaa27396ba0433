"""The active filters: a chip for each, with a cross that removes it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import streamlit as st

from pages.components.orders.form_fields import STATUS_GROUPS, SUBSCRIPTION_WORDS, TEXT_LABELS
from pages.components.orders.search_form import choose
from pages.rendering.escaping import label_text
from pages.rendering.formatting import format_day
from services.money import plain_amount
from services.orders.filter_values import country_label
from services.orders.filters import SearchInput
from services.text.keys import strip_edges

_LONGEST, _LONGEST_HELP = 48, 2_000
_SHORT = {"card_last_4": "Card", "vat_number": "VAT", "product": "Product"}
# Together they are one filter.
_TOTAL = ("currency", "total_from", "total_to")


def active_filters(typed: SearchInput) -> list[tuple[str, dict[str, object]]]:
    """(label, fields to set in the search to remove the filter) for every active filter, in the form's order."""
    empty = SearchInput()
    filters: list[tuple[str, dict[str, object]]] = []
    for name, label in TEXT_LABELS.items():
        if name not in _TOTAL and (value := strip_edges(getattr(typed, name))):
            shown = country_label(value) if name == "country" else value
            filters.append((f"{_SHORT.get(name, label)}: {shown}", {name: ""}))
    if typed.currency:
        filters.append((_total(typed), dict.fromkeys(_TOTAL, "")))
    for prefix, day_label in (("created", "Created"), ("paid", "Paid")):
        names = [f"{prefix}_{name}" for name in ("from", "to", "period")]
        start, end, period = (getattr(typed, name) for name in names)
        if start or end:
            shown = _days(start, end)
            if period:
                shown = f"{period}: {_span(start, end or start)}"
            filters.append((f"{day_label} {shown}", dict.fromkeys(names)))
    for name, statuses in STATUS_GROUPS:
        ticked = getattr(typed, name)
        for status in statuses:
            if status in ticked:
                filters.append((status.label, {name: ticked - {status}}))
    for store in typed.stores:
        filters.append((f"Store: {store}", {"stores": tuple(s for s in typed.stores if s != store)}))
    if typed.subscription is not empty.subscription:
        filters.append((SUBSCRIPTION_WORDS[typed.subscription], {"subscription": empty.subscription}))
    return filters


def filter_chips(typed: SearchInput) -> None:
    """Draw the chips; the next run searches without the filter that was removed, or without any (`take_input`)."""
    filters = active_filters(typed)
    if not filters:
        return
    with st.container(horizontal=True, key="search_chips", gap="small", vertical_alignment="center"):
        for number, (label, change) in enumerate(filters):
            st.button(
                label_text(_cut(label)),
                icon=":material/close:",
                icon_position="right",
                key=f"chip_{number}",
                type="secondary",
                help=None if _cut(label) == label else label_text(label[:_LONGEST_HELP]),
                on_click=choose,
                args=(replace(typed, **change),),  # type: ignore[arg-type]
            )
        st.button("Clear all", key="chip_clear", type="tertiary", on_click=choose, args=(SearchInput(),))


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"


def _total(typed: SearchInput) -> str:
    """The filter of totals in words: "Total EUR 10.00 – 20.00"."""
    lowest, highest = (
        plain_amount(Decimal(text), typed.currency) if text else None
        for text in (typed.total_from, typed.total_to)
    )
    if lowest is None and highest is None:
        return f"Currency: {typed.currency}"
    if lowest == highest:
        return f"Total {typed.currency} {lowest}"
    if highest is None:
        return f"Total from {typed.currency} {lowest}"
    return (
        f"Total {typed.currency} {lowest} – {highest}"
        if lowest
        else f"Total up to {typed.currency} {highest}"
    )


def _span(start: date, end: date) -> str:
    """The days of a period, with nothing said twice: "1-31 Oct 2026", "30 Sep - 6 Oct 2026"."""
    if start == end:
        return format_day(start)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{format_day(end)}"
    if start.year == end.year:
        return f"{format_day(start).removesuffix(f' {start.year}')} – {format_day(end)}"
    return f"{format_day(start)} – {format_day(end)}"


def _days(start: date | None, end: date | None) -> str:
    if start and end and start != end:
        return f"{format_day(start)} – {format_day(end)}"
    if start:
        return format_day(start)
    return f"up to {format_day(end)}" if end else ""
