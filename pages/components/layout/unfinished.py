"""What somebody was doing when their session ended: kept by this tab until the same person has signed in again.

It stays in the server's memory for as long as the tab does, is shown to nobody, and is dropped when anybody else signs
in. Passwords and codes are never in it.
"""

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from pages.components.orders.search_form import choose, take_input
from services.authentication.ended_sessions import find_ended_session
from services.orders.filters import SearchInput

_KEY: Final = "unfinished"
# What fields are named by: those of dialogs (dialogs.py), and of the pages of Administration.
_TYPED: Final = ("dialog_", "audit_", "erasure_")
_STATE: Final = "dialog"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Why the session ended, whose it was, what stood in the fields, the dialog that was open, the search."""

    account_id: int
    sentence: str
    typed: dict[str, Any]
    dialog: dict[str, Any] | None
    search: SearchInput | None

    @property
    def has_text(self) -> bool:
        """Whether something was being written, and not only searched for."""
        return any(
            isinstance(value, str) and value.strip()
            for key, value in self.typed.items()
            if key.startswith("dialog_")
        )


def collect(token: str) -> Unfinished | None:
    """To be asked when the tab's session does not stand any more, and before the tab forgets everything."""
    ended = find_ended_session(token)
    if ended is None:
        return None
    state: dict[str, Any] = {str(key): value for key, value in st.session_state.items()}
    typed = {key: value for key, value in state.items() if key.startswith(_TYPED) and _is_text(value)}
    entered = take_input()
    # A search with a day that cannot be read would come back without it.
    search = entered.typed if entered is not None and not entered.errors else None
    return Unfinished(ended.account_id, ended.sentence, typed, state.get(_STATE), search)


def keep(found: Unfinished | None) -> None:
    """Puts it back after the tab has forgotten everything else."""
    if found is not None:
        st.session_state[_KEY] = found


def kept() -> Unfinished | None:
    found: Unfinished | None = st.session_state.get(_KEY)
    return found


def give_back(account_id: int) -> None:
    """After somebody signed in: fields and dialog as they were, for the same person; else it is dropped."""
    found: Unfinished | None = st.session_state.pop(_KEY, None)
    if found is None or found.account_id != account_id:
        return
    for key, value in found.typed.items():
        st.session_state.setdefault(key, value)
    if found.search is not None:
        choose(found.search)
    if found.dialog is not None:
        st.session_state.setdefault(_STATE, found.dialog)


def _is_text(value: object) -> bool:
    # A button's value is a bool, and cannot be put back; a tick that is lost is seen.
    return isinstance(value, str)
