"""Parts of a page that Streamlit redraws without running `app.py`: fragments and dialogs.

Pages use these and never Streamlit's own (tests/system/test_layers.py), so that such a part asks the database once per
draw whether its session still holds, and not once per question.
"""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

import streamlit as st

from pages.components.layout import session

P = ParamSpec("P")
T = TypeVar("T")


def fragment(draw: Callable[P, T], *, run_every: float | None = None) -> Callable[P, T]:
    """`st.fragment` with one check of the session per draw; `run_every` is in seconds."""
    return st.fragment(_checked_once(draw), run_every=run_every)


def dialog(
    title: str,
    draw: Callable[[], None],
    *,
    width: Literal["small", "large"],
    dismissible: bool,
    on_dismiss: Callable[[], None],
) -> None:
    """Open `st.dialog` with one check of the session per draw."""
    st.dialog(title, width=width, dismissible=dismissible, on_dismiss=on_dismiss)(_checked_once(draw))()


def _checked_once(draw: Callable[P, T]) -> Callable[P, T]:
    @wraps(draw)  # Streamlit names a fragment after its function
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        with session.one_check():
            return draw(*args, **kwargs)

    return checked
