"""The dialog before many orders are acted on: what would be done with how many, and why not with the others."""

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.bulk_states import BulkKind
from pages.components.bulk.labels import LABELS, orders_words
from pages.components.bulk.progress import follow_runs
from pages.components.bulk.ticks import clear_ticks
from pages.components.layout.dialogs import Dialog, Screen, change_subject, field_key, submit
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.bulk.actions import TEXT_FIELDS
from services.bulk.preview import Preview, preview_orders
from services.bulk.runs import CONFIRMED_FROM, start_run
from services.money import format_money

_REASONS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class BulkSubject:
    """The orders and what is to be done with them; the preview is made when the dialog is drawn first."""

    kind: BulkKind
    order_ids: tuple[int, ...]
    preview: Preview | None = None


def bulk_dialog(kind: BulkKind, order_ids: tuple[int, ...]) -> Dialog[BulkSubject]:
    return Dialog(
        Screen.ORDERS,
        LABELS[kind].menu,
        _draw,
        BulkSubject(kind, order_ids),
        may=_may_act,
        after=_after,
    )


def _may_act(viewer: Viewer) -> bool:
    return viewer.may_act


def _after(subject: BulkSubject, message: str) -> None:
    clear_ticks()
    follow_runs()


def _draw(subject: BulkSubject) -> None:
    preview = subject.preview or _make_preview(subject)
    st.html(_preview_html(preview))
    if not preview.able:
        st.caption("Nothing can be done with these orders.")
        return
    labels, field, number = LABELS[subject.kind], TEXT_FIELDS[subject.kind], len(preview.able)
    with st.form("dialog_bulk", border=False):
        text, typed_number = "", ""
        if field is not None:
            text = st.text_area(labels.text, key=field_key("text"), height=100) or ""
        text_error = st.empty()
        if number > CONFIRMED_FROM:
            typed_number = st.text_input(
                f"Type {number} to confirm", key=field_key("number"), autocomplete="off"
            )
        number_error, error = st.empty(), st.empty()
        if field is not None:
            st.caption(f"At most {field.limit:,} characters. Each order gets it in its history.")
        is_pressed = st.form_submit_button(f"{labels.button}: {orders_words(number)}", type="primary")
    if is_pressed:
        submit(
            {"": error, "text": text_error, "number": number_error},
            start_run,
            preview,
            text=text,
            typed_number=typed_number,
            address=client_address(),
        )


def _make_preview(subject: BulkSubject) -> Preview:
    """Once per dialog: what was shown is what will be done."""
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        preview = preview_orders(connection, viewer, subject.order_ids, kind=subject.kind)
    change_subject(replace(subject, preview=preview))
    return preview


def _preview_html(preview: Preview) -> str:
    able, unable = len(preview.able), len(preview.unable)
    sums = ""
    if preview.kind is BulkKind.REQUEST_REFUND and preview.totals:
        amounts = [format_money(total, currency) for currency, total in sorted(preview.totals.items())]
        sums = f" Together <strong>{html_text(', '.join(amounts))}</strong>."
    sentence = (
        f"<p>For <strong>{orders_words(able)}</strong>, {html_text(LABELS[preview.kind].effect)}.{sums}</p>"
        if able
        else ""
    )
    if not unable:
        return sentence
    reasons = preview.reasons
    lines = [f"<li><strong>{number:,}</strong> {html_text(reason)}</li>" for reason, number in reasons]
    more = len(lines) - _REASONS_SHOWN
    if more > 0:
        rest = sum(number for _, number in reasons[_REASONS_SHOWN:])
        lines = [*lines[:_REASONS_SHOWN], f"<li><strong>{rest:,}</strong> for {more} other reasons</li>"]
    return (
        f'{sentence}<div class="es-unable"><p>{orders_words(unable)} cannot, and '
        f"{'stays as it is' if unable == 1 else 'stay as they are'}:</p><ul>{''.join(lines)}</ul></div>"
    )
