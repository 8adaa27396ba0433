"""The orders that are ticked in this tab, within one search.

They stay while orders are opened and pages are turned, and end with the search.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

_KEY: Final = "ticks"


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ticked orders of the search with that number, in the order in which they were ticked."""

    search_number: int
    order_ids: tuple[int, ...] = field(default=())


def ticked(search_number: int) -> tuple[int, ...]:
    """The orders that are ticked in this search; nothing that was ticked in an earlier one."""
    ticks: Ticks | None = st.session_state.get(_KEY)
    return ticks.order_ids if ticks is not None and ticks.search_number == search_number else ()


def tick(search_number: int, order_ids: Iterable[int]) -> None:
    """Let exactly these orders be ticked."""
    st.session_state[_KEY] = Ticks(search_number, tuple(dict.fromkeys(order_ids)))


def tick_shown(search_number: int, shown: Collection[int], chosen: Collection[int]) -> None:
    """Of the orders that are `shown`, let those `chosen` be ticked; the others stay as they are."""
    stay = [order_id for order_id in ticked(search_number) if order_id not in shown or order_id in chosen]
    tick(search_number, [*stay, *chosen])


def clear_ticks() -> None:
    st.session_state.pop(_KEY, None)
