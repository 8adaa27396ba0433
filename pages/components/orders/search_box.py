"""The one box above the search form: whatever a customer can tell goes in, and fills the fields of the form.

What a text can mean is decided by `services.recognition`; here its readings are counted, the first that finds something
is searched for, and the others are offered.
"""

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st
from sqlalchemy import Connection

from db.connections.replica import read
from pages.components.layout import unfinished
from pages.components.layout.session import current_viewer, time_zone
from pages.components.orders.filter_chips import active_filters
from pages.rendering.escaping import html_text, label_text
from services.orders.filters import OrderFilter, parse_filter
from services.orders.search import OrderCount
from services.recognition.context import context_of
from services.recognition.counting import count_rivals
from services.recognition.readings import Reading
from services.recognition.recognizer import recognize

_TEXT: Final = "search_box"
_PRESSED: Final = "search_box_pressed"
_CHOSEN: Final = "search_box_chosen"
_ANSWER: Final = "search_box_answer"
_MOST_OFFERED: Final = 6
_MOST_NAMED: Final = 12
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Rival:
    """A reading that finds something, and how many orders."""

    reading: Reading
    count: OrderCount


@dataclass(frozen=True, slots=True)
class BoxAnswer:
    """What the text was taken for: the `chosen` reading and, where there are several that find something, all of them.

    `number` is that of the search which it led to; the answer ends with it.
    """

    chosen: Reading
    rivals: tuple[Rival, ...] = ()
    number: int = -1


class NothingRecognized(Exception):
    """No part of the text fills a field of the form."""


def take_box() -> BoxAnswer | None:
    """The answer to the text that Enter was pressed on, or with another of its readings chosen; None without either.

    Raises `NothingRecognized` with a sentence when no part of the text can be placed.
    """
    state = st.session_state
    chosen: BoxAnswer | None = state.pop(_CHOSEN, None)
    if not state.pop(_PRESSED, False):
        return chosen
    state.pop(_ANSWER, None)
    return _answer(str(state.get(_TEXT) or ""))


def _answer(text: str) -> BoxAnswer:
    viewer, zone = current_viewer(), time_zone()
    if not text.strip():
        return BoxAnswer(Reading(OrderFilter.empty(zone).typed))
    recognition = recognize(text, context_of(viewer.stores, zone, st.context.locale))
    readings = recognition.readings
    if not readings:
        raise NothingRecognized(_refusal(recognition.unplaced))
    if len(readings) == 1:
        return BoxAnswer(readings[0])
    searches = [parse_filter(reading.typed, zone=zone) for reading in readings]

    def count(connection: Connection) -> tuple[OrderCount, ...]:
        return count_rivals(connection, viewer, searches)

    counts = read(viewer.account_id, viewer.store_ids, count)
    rivals = tuple(Rival(r, c) for r, c in zip(readings, counts, strict=True) if c.number)
    if not rivals:
        if readings[0].literal:
            raise NothingRecognized(_refusal(recognition.unplaced))
        return BoxAnswer(readings[0])
    return BoxAnswer(rivals[0].reading, rivals[:_MOST_OFFERED] if len(rivals) > 1 else ())


def _refusal(unplaced: tuple[str, ...]) -> str:
    return f"Nothing was searched: no order can be found by {_named(unplaced)}."


def remember(answer: BoxAnswer, number: int) -> None:
    """Show the answer for as long as this search is shown."""
    st.session_state[_ANSWER] = replace(answer, number=number)


def search_box(number: int) -> None:
    """Draw the box, and below it what the search of this number was taken for."""
    with (
        st.form("search_box_form", border=False),
        st.container(horizontal=True, key="search_box_row", vertical_alignment="center", gap="small"),
    ):
        st.text_input(
            "Search",
            key=_TEXT,
            placeholder="Order number, e-mail, name, phone, last 4 digits of card, part of a key, “paid last month” …",
            autocomplete="off",
            label_visibility="collapsed",  # the button beside it has the same word
        )
        st.form_submit_button("Search", icon=":material/search:", key="search_box_go", on_click=_press)
    answer: BoxAnswer | None = st.session_state.get(_ANSWER)
    if answer is not None and answer.number == number:
        _draw(answer)


def forget_text(number: int) -> None:
    """Empty the box when another search than its own is shown."""
    answer: BoxAnswer | None = st.session_state.get(_ANSWER)
    if answer is not None and answer.number != number:
        del st.session_state[_ANSWER]
        st.session_state[_TEXT] = ""


def _press() -> None:
    st.session_state[_PRESSED] = True


def _choose(answer: BoxAnswer) -> None:
    st.session_state[_CHOSEN] = answer


def _draw(answer: BoxAnswer) -> None:
    if answer.chosen.unplaced:
        st.html(
            f'<div class="es-hint" role="status">Not searched for: {html_text(_named(answer.chosen.unplaced))}, '
            "which no field of the form takes.</div>"
        )
    if not answer.rivals:
        return
    with st.container(horizontal=True, key="search_rivals", gap="small", vertical_alignment="center"):
        st.html('<span class="es-hint">Read as</span>', width="content")
        for number, rival in enumerate(answer.rivals):
            is_chosen = rival.reading == answer.chosen
            st.button(
                label_text(_label(rival, answer)),
                icon=":material/check:" if is_chosen else None,
                key=f"rival_{number}",
                type="secondary",
                on_click=_choose,
                args=(replace(answer, chosen=rival.reading),),
            )


def _label(rival: Rival, answer: BoxAnswer) -> str:
    """What tells this reading from the others, and the number that it finds: Card: 4242 · 3 orders."""
    shared = set.intersection(
        *({label for label, _ in active_filters(r.reading.typed)} for r in answer.rivals)
    )
    own = [label for label, _ in active_filters(rival.reading.typed) if label not in shared]
    text = ", ".join(own) or "the rest alone"
    number = f"{rival.count.number:,}{'+' if rival.count.is_more else ''}"
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return f"{short} · {number} {'order' if number == '1' else 'orders'}"


def _named(parts: tuple[str, ...]) -> str:
    shown = [
        f"“{part if len(part) <= _LONGEST else part[: _LONGEST - 1] + '…'}”" for part in parts[:_MOST_NAMED]
    ]
    more = len(parts) - _MOST_NAMED
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _unfinished_text() -> str | None:
    text = str(st.session_state.get(_TEXT) or "")
    return text if text and st.session_state.get(_PRESSED) else None


def _restore(text: str) -> None:
    st.session_state[_TEXT] = text
    st.session_state[_PRESSED] = True


unfinished.register_form("search_box", unfinished.Form(_unfinished_text, _restore))
