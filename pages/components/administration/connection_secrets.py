"""Secrets of connections on the page: made when a dialog opens, and shown once after it.

They stay in the tab's memory from then until the dialog that shows them closes, and are no part of what is stored when
a session ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import streamlit as st

from db.schema.connection_states import ConnectionKind, Purpose
from pages.components.administration.connection_guide import GuideSubject, draw_guide
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    close,
    current_dialog,
    may_administer,
    open_dialog,
)
from services.connections.kinds import make_secret, new_key

_DRAFT: Final = "connection_draft"
_NEXT: Final = "connection_next"
_SHOWN: Final = "connection_shown_secrets"


@dataclass(slots=True)
class Draft:
    """The result of one opening of a dialog: pressed twice, it creates one connection, or one secret."""

    dialog_key: UUID | None
    key: str = field(default_factory=new_key)
    secrets: dict[tuple[ConnectionKind, Purpose], str] = field(default_factory=dict)

    def secret(self, kind: ConnectionKind, purpose: Purpose) -> str:
        if (kind, purpose) not in self.secrets:
            self.secrets[kind, purpose] = make_secret(kind)
        return self.secrets[kind, purpose]


def draft() -> Draft:
    """The draft of the open dialog."""
    dialog = current_dialog()
    key = dialog.key if dialog else None
    made: Draft | None = st.session_state.get(_DRAFT)
    if made is None or made.dialog_key != key:
        made = st.session_state[_DRAFT] = Draft(key)
    return made


def show_next(subject: GuideSubject, secrets: Mapping[Purpose, str]) -> None:
    """Let the next draw of the page open the dialog that shows these secrets, once the present one has closed."""
    st.session_state[_NEXT] = subject
    st.session_state[_SHOWN] = dict(secrets)


def open_next() -> None:
    """Open the dialog that `show_next` announced, if it did; forget the secrets of one that was closed."""
    if current_dialog() is None:
        st.session_state.pop(_DRAFT, None)
    subject: GuideSubject | None = st.session_state.pop(_NEXT, None)
    if subject is not None:
        # A click beside it would lose what is shown once.
        open_dialog(guide_dialog(subject, dismissible=False))
    elif current_dialog() is None:
        st.session_state.pop(_SHOWN, None)


def guide_dialog(subject: GuideSubject, *, dismissible: bool = True) -> Dialog[GuideSubject]:
    return Dialog(
        Screen.CONNECTIONS,
        "What to paste where",
        _draw,
        subject,
        may=may_administer,
        width="large",
        dismissible=dismissible,
    )


def _draw(subject: GuideSubject) -> None:
    draw_guide(subject, st.session_state.get(_SHOWN, {}))
    if st.button("Done", type="primary", key="connection_guide_done"):
        st.session_state.pop(_SHOWN, None)
        close()
        st.rerun()
