"""What somebody was doing when their session ended: kept by this tab until the same person has signed in again.

It stays in the server's memory for as long as the tab does, is shown to nobody, and is dropped when anybody else signs
in. Passwords and codes are never in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from services.authentication.ended_sessions import find_ended_session

_KEY: Final = "unfinished"
# What fields are named by: those of dialogs (dialogs.py), and of the pages of Administration.
_TYPED: Final = ("dialog_", "audit_", "erasure_")
_STATE: Final = "dialog"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Why the session ended, whose it was, what the fields held, the dialog that was open, and what forms kept.

    `forms` has what each registered form held, by the form's name.
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
    """Keep this form's entries when a session ends, under `name`."""
    _forms[name] = form


def collect(token: str) -> Unfinished | None:
    """To be asked when the tab's session does not stand any more, and before the tab forgets everything."""
    ended = find_ended_session(token)
    if ended is None:
        return None
    state: dict[str, Any] = {str(key): value for key, value in st.session_state.items()}
    typed = {key: value for key, value in state.items() if key.startswith(_TYPED) and _is_text(value)}
    forms = {name: form.collect() for name, form in _forms.items()}
    return Unfinished(ended.account_id, ended.sentence, typed, state.get(_STATE), forms)


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
    for name, value in found.forms.items():
        if value is not None:
            _forms[name].restore(value)
    if found.dialog is not None:
        st.session_state.setdefault(_STATE, found.dialog)


def _is_text(value: object) -> bool:
    # A button's value is a bool, and cannot be put back; a tick that is lost is seen.
    return isinstance(value, str)
