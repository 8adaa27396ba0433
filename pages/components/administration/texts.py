"""Texts of mails to customers, for administrators: per checkout page and language, with a preview beside the text."""

from typing import NamedTuple
from uuid import uuid4

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    field_key,
    may_administer,
    open_dialog,
    submit,
    tell_later,
)
from pages.components.layout.errors import field_error, showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text
from pages.rendering.templates import render
from services.access import Store, Viewer
from services.actions import ActionRequest, perform
from services.errors import InvalidInput
from services.mail.customer_texts import PLACEHOLDERS, SUBJECT_LIMIT, MailText, RefundText
from services.mail.languages import LANGUAGES
from services.refunds.mail_texts import StoreText, change_text, find_texts, preview_text, reset_text

# Counts the texts that were saved or reset, so that the fields begin anew with what is in force then.
_SAVED = "texts_saved"


class TextSubject(NamedTuple):
    """The text of a store that is being looked at."""

    store: Store
    kind: RefundText
    language: str

    @property
    def name(self) -> str:
        return f"{self.kind.label}, {LANGUAGES[self.language]}, of {self.store.title or self.store.name}"


@fragment
def texts() -> None:
    with showing_errors():
        _texts(current_viewer())


def _texts(viewer: Viewer) -> None:
    if not viewer.stores:
        st.info("There is no checkout page yet. Each appears with its first order.")
        return
    st.html(
        '<div class="es-hint">What customers read when their refund is carried out, in the language of their order, '
        "English if there is none. Whether they are told at all is set under Checkout pages.</div>"
    )
    chosen, text = _choose(viewer)
    key = "_".join((str(chosen.store.id), chosen.kind, chosen.language, str(st.session_state.get(_SAVED, 0))))
    with st.container(key="texts_split"):
        left, right = st.columns([1, 1], gap="medium")
    with left:
        subject = st.text_input(
            "Subject", value=text.text.subject, key=f"text_subject_{key}", max_chars=2 * SUBJECT_LIMIT
        )
        subject_error = st.empty()
        body = st.text_area("Text", value=text.text.body, key=f"text_body_{key}", height=420)
        body_error = st.empty()
        errors = {"": body_error, "subject": subject_error, "body": body_error}
        typed = MailText(subject or "", body or "")
        with st.container(horizontal=True, vertical_alignment="center"):
            is_pressed = st.button("Save text", type="primary", key="save_text")
            if text.is_own:
                st.button("Use the built-in text", on_click=open_dialog, args=(_reset_dialog(chosen),))
            source = "This checkout page has a text of its own." if text.is_own else "The built-in text."
            st.html(f'<span class="es-hint">{source}</span>', width="content")
    with right:
        st.html('<div class="es-group-label">Preview, with an order made up for this</div>')
        error = _preview(viewer, chosen, typed)
        with st.expander("What can be put in"):
            st.html(render("placeholders.html.jinja", placeholders=PLACEHOLDERS))
    if error is not None:
        field_error(errors[error.field or ""], error)
    elif is_pressed:
        _save(viewer, chosen, typed)
    draw_dialog(Screen.TEXTS)


def _choose(viewer: Viewer) -> tuple[TextSubject, StoreText]:
    """Draw what the text is chosen by; the choice, and the text in force."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        store = st.selectbox(
            "Checkout page",
            viewer.stores,
            format_func=lambda store: store.title or store.name,
            key="text_store",
            width=280,
        )
        with viewer_transaction(viewer.account_id) as connection:
            found = find_texts(connection, viewer, store.id)
        kind = RefundText(
            st.segmented_control(
                "Refund",
                list(RefundText),
                format_func=lambda kind: kind.label,
                default=RefundText.FULL,
                required=True,
                key="text_kind",
            )
            or RefundText.FULL
        )
        language = st.selectbox(
            "Language",
            list(LANGUAGES),
            format_func=lambda language: (
                f"{LANGUAGES[language]} (own text)" if found[kind, language].is_own else LANGUAGES[language]
            ),
            key=f"text_language_{store.id}_{kind}",
            width=220,
        )
    return TextSubject(store, kind, language), found[kind, language]


def _preview(viewer: Viewer, chosen: TextSubject, typed: MailText) -> InvalidInput | None:
    """Draw what a customer would read, or return what is wrong with the text."""
    with viewer_transaction(viewer.account_id) as connection:
        try:
            written = preview_text(
                connection,
                viewer,
                chosen.store.id,
                kind=chosen.kind,
                language=chosen.language,
                subject=typed.subject,
                body=typed.body,
            )
        except InvalidInput as error:
            st.info("The preview comes back once the marked field is put right.", icon=":material/edit:")
            return error
    st.html(render("mail_preview.html.jinja", mail=written, language=chosen.language))
    return None


def _save(viewer: Viewer, chosen: TextSubject, typed: MailText) -> None:
    sentence = perform(
        viewer,
        ActionRequest(key=uuid4(), address=client_address()),
        change_text,
        chosen.store.id,
        kind=chosen.kind,
        language=chosen.language,
        subject=typed.subject,
        body=typed.body,
    )
    tell_later(sentence)
    _begin_anew()
    st.rerun()


def _begin_anew() -> None:
    st.session_state[_SAVED] = st.session_state.get(_SAVED, 0) + 1


def _reset_dialog(chosen: TextSubject) -> Dialog[TextSubject]:
    return Dialog(
        Screen.TEXTS,
        "Use the built-in text",
        _reset,
        chosen,
        may=may_administer,
        after=_after_reset,
    )


def _after_reset(_subject: TextSubject, _sentence: str) -> None:
    _begin_anew()


def _reset(chosen: TextSubject) -> None:
    st.html(
        f"<p><strong><bdi>{html_text(chosen.name)}</bdi></strong><br>The checkout page's own text is removed.</p>"
    )
    error = st.empty()
    if st.button("Use the built-in text", type="primary", key=field_key("reset")):
        submit({"": error}, reset_text, chosen.store.id, kind=chosen.kind, language=chosen.language)
