"""Unfinished work of a session that ended, stored by its tab until the same person has signed in again.

It stays in the server's memory for as long as the tab does, is shown to nobody, and is dropped when anybody else signs
in. Passwords and codes are never part of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from services.authentication.ended_sessions import find_ended_session

_KEY: Final = "unfinished"
# How the keys of fields begin: in dialogs (dialogs.py), and on the pages of Administration.
_TYPED: Final = ("dialog_", "audit_", "erasure_")
_STATE: Final = "dialog"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What an ended session leaves behind: its account, why it ended, its texts, its open dialog, and its forms.

    `forms` has the entries of each registered form by the form's name.
    """

    account_id: int
    sentence: str
    typed: dict[str, Any]
    dialog: object
    forms: dict[str, object]

    @property
    def has_text(self) -> bool:
        """Whether something was being written, and not only searched for."""
        return any(
            isinstance(value, str) and value.strip()
            for key, value in self.typed.items()
            if key.startswith("dialog_")
        )


@dataclass(frozen=True, slots=True)
class Form:
    """A form whose entries survive the end of a session: `collect` returns them, or None; `restore` takes them."""

    collect: Callable[[], object]
    restore: Callable[[Any], None]


# Filled when the modules of the forms are imported: a tab that shows a form has imported it.
_forms: dict[str, Form] = {}


def register_form(name: str, form: Form) -> None:
    """Store this form's entries under `name` when a session ends."""
    _forms[name] = form


def collect(token: str) -> Unfinished | None:
    """The tab's unfinished work, once its session has ended and before the tab drops everything; None without any."""
    ended = find_ended_session(token)
    if ended is None:
        return None
    state: dict[str, Any] = {str(key): value for key, value in st.session_state.items()}
    typed = {key: value for key, value in state.items() if key.startswith(_TYPED) and _is_text(value)}
    forms = {name: form.collect() for name, form in _forms.items()}
    return Unfinished(ended.account_id, ended.sentence, typed, state.get(_STATE), forms)


def store(work: Unfinished | None) -> None:
    """Store the work in the tab again, after the tab has dropped everything else."""
    if work is not None:
        st.session_state[_KEY] = work


def stored() -> Unfinished | None:
    work: Unfinished | None = st.session_state.get(_KEY)
    return work


def give_back(account_id: int) -> None:
    """After a sign-in: restore fields and dialog for the same account, and drop the work for any other."""
    work: Unfinished | None = st.session_state.pop(_KEY, None)
    if work is None or work.account_id != account_id:
        return
    for key, value in work.typed.items():
        st.session_state.setdefault(key, value)
    for name, entries in work.forms.items():
        if entries is not None:
            _forms[name].restore(entries)
    if work.dialog is not None:
        st.session_state.setdefault(_STATE, work.dialog)


def _is_text(value: object) -> bool:
    # The value of a button is a bool and cannot be restored; people notice a lost tick.
    return isinstance(value, str)
