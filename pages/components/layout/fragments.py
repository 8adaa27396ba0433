"""Parts of a page that run again alone, at a click or by the clock, each time for the viewer of that moment."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from pages.components.layout import session

P = ParamSpec("P")
T = TypeVar("T")


def fragment(draw: Callable[P, T], *, run_every: float | None = None) -> Callable[P, T]:
    """`st.fragment`, with the viewer asked anew at each run of it; `run_every` in seconds."""
    return st.fragment(for_this_viewer(draw), run_every=run_every)


def for_this_viewer(draw: Callable[P, T]) -> Callable[P, T]:
    """The same function, drawing for whoever is signed in as it begins and not for an earlier run's viewer."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with session.fragment_run():
            return draw(*args, **kwargs)

    return drawn
