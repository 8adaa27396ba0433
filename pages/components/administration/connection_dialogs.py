"""The dialogs that act on one connection: its secrets, switching it on and off, deleting it."""

from typing import Final, NamedTuple

import streamlit as st

from db.schema.connection_states import ConnectionKind, Purpose
from pages.components.administration import connection_secrets
from pages.components.administration.connection_guide import GuideSubject, subject_of
from pages.components.administration.connection_test import draw_subject
from pages.components.administration.connection_trouble import forget_trouble
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    current_dialog,
    field_key,
    may_administer,
    submit,
)
from pages.rendering.escaping import html_text
from services.connections.administration import change_secret
from services.connections.kinds import RULES
from services.connections.listing import ListedConnection
from services.connections.secrets import OVERLAP
from services.connections.switching import delete_connection, switch_off, switch_on

open_next = connection_secrets.open_next
# What the other side calls the secrets that it gives.
_TYPED_LABELS: Final = {
    (ConnectionKind.NOVENTIQ, Purpose.IN): "Secret key",
    (ConnectionKind.NOVENTIQ, Purpose.API): "API password",
    (ConnectionKind.STRIPE, Purpose.IN): "Signing secret",
    (ConnectionKind.STRIPE, Purpose.API): "API key",
}
_MADE_LABELS: Final = {Purpose.IN: "Rotate incoming secret", Purpose.OUT: "Rotate outgoing secret"}


class SecretSubject(NamedTuple):
    connection: ListedConnection
    purpose: Purpose


def typed_label(kind: ConnectionKind, purpose: Purpose) -> str:
    return _TYPED_LABELS.get((kind, purpose), "API key" if purpose is Purpose.API else "Signing secret")


def secret_name(kind: ConnectionKind, purpose: Purpose) -> str:
    """A secret's name inside a sentence."""
    label = typed_label(kind, purpose) if purpose in RULES[kind].typed else "secret"
    return label if label.startswith("API") else label.lower()


def secret_label(listed: ListedConnection, purpose: Purpose) -> str:
    """The button that sets or rotates a secret."""
    if purpose in RULES[listed.kind].typed:
        return typed_label(listed.kind, purpose)
    return _MADE_LABELS[purpose]


def guide_dialog(listed: ListedConnection) -> Dialog[GuideSubject]:
    return connection_secrets.guide_dialog(subject_of(listed))


def secret_dialog(listed: ListedConnection, purpose: Purpose) -> Dialog[SecretSubject]:
    is_typed = purpose in RULES[listed.kind].typed
    return Dialog(
        Screen.CONNECTIONS,
        secret_label(listed, purpose),
        _type if is_typed else _rotate,
        SecretSubject(listed, purpose),
        may=may_administer,
        after=None if is_typed else _after_rotation,
    )


def off_dialog(listed: ListedConnection) -> Dialog[ListedConnection]:
    return Dialog(Screen.CONNECTIONS, "Switch off", _off, listed, may=may_administer, after=_after)


def on_dialog(listed: ListedConnection) -> Dialog[ListedConnection]:
    return Dialog(Screen.CONNECTIONS, "Switch on", _on, listed, may=may_administer, after=_after)


def delete_dialog(listed: ListedConnection) -> Dialog[ListedConnection]:
    return Dialog(Screen.CONNECTIONS, "Delete connection", _delete, listed, may=may_administer, after=_after)


def _after(_: object, __: str) -> None:
    forget_trouble()


def _rotate(subject: SecretSubject) -> None:
    listed, purpose = subject
    draw_subject(listed)
    st.html(
        f"<p>A new secret is made and shown once. The one before it stays valid for {OVERLAP.days} days, so that "
        "nothing is lost while the other side changes over.</p>"
    )
    error = st.empty()
    if st.button("Rotate", type="primary", key=field_key("rotate")):
        secret = connection_secrets.draft().secret(listed.kind, purpose)
        submit({"": error, "secret": error}, change_secret, listed.id, purpose, secret=secret)


def _after_rotation(subject: SecretSubject, _: str) -> None:
    listed, purpose = subject
    connection_secrets.show_next(
        subject_of(listed, rotated=purpose),
        {purpose: connection_secrets.draft().secret(listed.kind, purpose)},
    )


def _type(subject: SecretSubject) -> None:
    listed, purpose = subject
    draw_subject(listed)
    if purpose in listed.secrets:
        st.html(f"<p>The one that is set stays valid for {OVERLAP.days} days beside the new one.</p>")
    with st.form("dialog_connection_secret", border=False):
        label = typed_label(listed.kind, purpose)
        secret = secret_input(label, purpose)
        error = st.empty()
        is_pressed = st.form_submit_button("Save", type="primary")
    if is_pressed:
        submit({"": error, "secret": error}, change_secret, listed.id, purpose, secret=secret)


def secret_input(label: str, purpose: Purpose) -> str:
    """A field for a secret; what is typed into it is not stored when the session ends (unfinished.py)."""
    dialog = current_dialog()
    key = f"secret_{purpose}_{dialog.key if dialog else ''}"
    return st.text_input(label, key=key, type="password", autocomplete="off") or ""


def _off(listed: ListedConnection) -> None:
    draw_subject(listed)
    st.html(
        "<p>Messages that come in are answered as at an unknown address, and nothing is sent. What is done here counts "
        "at once again. Events wait, and go out when the connection is switched on.</p>"
    )
    gives_up = False
    if listed.awaited:
        what = "1 action waits" if listed.awaited == 1 else f"{listed.awaited:,} actions wait"
        gives_up = st.checkbox(
            f"{what} for its answer: give up, so that it can be done again", key=field_key("gives_up")
        )
    error = st.empty()
    if st.button("Switch off", type="primary", key=field_key("off")):
        submit({"": error}, switch_off, listed.id, gives_up=gives_up)


def _on(listed: ListedConnection) -> None:
    draw_subject(listed)
    because = listed.switched_off_because or ""
    st.html(f"<p>{html_text(because)} What waits goes out as soon as it is switched on.</p>")
    error = st.empty()
    if st.button("Switch on", type="primary", key=field_key("on")):
        submit({"": error, "confirms": error}, switch_on, listed.id)


def _delete(listed: ListedConnection) -> None:
    draw_subject(listed)
    st.html(
        "<p>Its address, its secrets, and the lists of what was received and sent are deleted. Orders and their "
        "history stay. Actions that wait for its answer end as not delivered.</p>"
    )
    error = st.empty()
    if st.button("Delete connection", type="primary", key=field_key("delete")):
        submit({"": error}, delete_connection, listed.id)
