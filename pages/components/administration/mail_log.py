"""The mail log: messages as a table, the chosen one in full."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.statuses import MailState
from pages.components.layout.dialogs import (
    Dialog,
    Screen,
    draw_dialog,
    field_key,
    may_administer,
    open_dialog,
    submit,
)
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.row_table import row_table
from pages.components.layout.session import client_address, current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.delivery.log import PAGE, LoggedMail, find_mails, get_mail, send_again
from services.settings import settings

_STATES = {state: state.label for state in MailState}
_KINDS = {
    "licence": "Licence",
    "refund": "Refund result",
    "account": "New account",
    "password_reset": "One-time password",
    "password": "Forgotten password",
    "credentials": "Changed credentials",
    "connection": "Connection",
    "action": "Refused action",
    "customer_refund": "Refund, to the customer",
    "refund_digest": "Refund queue",
}
_COLORS = {"Waiting": "violet", "Sent": "green", "Failed": "red"}


@fragment
def mail_log() -> None:
    """Draw the log in a fragment, so that choosing a message does not draw the page again."""
    with showing_errors():
        _draw(time_zone())


def _draw(zone: ZoneInfo) -> None:
    state = st.session_state
    viewer = current_viewer()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<span class="es-zone">times in {html_text(zone.key)}</span>')
        wanted = st.segmented_control(
            "State",
            list(_STATES),
            format_func=_STATES.__getitem__,
            key="mails_state",
            label_visibility="collapsed",
            on_change=_go_to,
            args=(None,),
        )
    if settings().mail.smtp_url is None:
        st.info("SMTP_URL is not set, so nothing is sent: messages wait here.", icon=":material/info:")
    before = state.get("mails_before")
    with viewer_transaction(viewer.account_id) as connection:
        mails = find_mails(connection, viewer, state=wanted, before=before, limit=PAGE + 1)
    if not mails:
        st.info("There is no such message." if wanted else "No message has been written yet.")
        return
    chosen = _table(mails[:PAGE], zone)
    if chosen is None:
        state.pop("mail_opened", None)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if before is not None:
            st.button("Newest", on_click=_go_to, args=(None,), type="tertiary")
        if len(mails) > PAGE:
            st.button("Older", on_click=_go_to, args=(mails[PAGE - 1].id,))
    if chosen:
        _message(chosen, zone)
    draw_dialog(Screen.MAIL_LOG)


def _table(mails: tuple[LoggedMail, ...], zone: ZoneInfo) -> LoggedMail | None:
    frame = pd.DataFrame(
        {
            "Written": [format_time(mail.created_at, zone) for mail in mails],
            "State": [[_STATES[mail.state]] for mail in mails],
            "To": [mail.to_address or "deleted" for mail in mails],
            "Subject": [mail.subject for mail in mails],
            "About": [_KINDS.get(mail.kind, mail.kind) for mail in mails],
            "Attempts": [mail.attempts for mail in mails],
            "Last error": [mail.last_error for mail in mails],
        }
    )
    chosen = row_table(
        "mail",
        frame,
        [mail.id for mail in mails],
        rows_shown=10,
        alt="Messages; choose a row to read it below",
        columns={
            "Written": st.column_config.TextColumn(width=140),
            "State": st.column_config.MultiselectColumn(
                width=90, options=list(_COLORS), color=list(_COLORS.values())
            ),
            "To": st.column_config.TextColumn(width=200),
            "Subject": st.column_config.TextColumn(width=380),
            "About": st.column_config.TextColumn(width=110),
            "Attempts": st.column_config.NumberColumn(width=80),
            "Last error": st.column_config.TextColumn(width=320),
        },
    )
    return next((mail for mail in mails if mail.id == chosen), None)


def _message(mail: LoggedMail, zone: ZoneInfo) -> None:
    with st.container(key=f"order_mail_{mail.id}_card", gap=None):
        with st.container(key=f"order_mail_{mail.id}_band", horizontal=True, vertical_alignment="center"):
            st.html(
                render(
                    "mail_head.html.jinja",
                    mail=mail,
                    state=_STATES[mail.state],
                    tone={"queued": "violet", "sent": "green", "failed": "red"}[mail.state],
                    time=lambda at: format_time(at, zone),
                ),
                width="stretch",
            )
            if mail.to_address is not None:
                st.button("Send again", on_click=open_dialog, args=(_again_dialog(mail),))
        st.html(render("mail_body.html.jinja", mail=mail, text=_text(mail)))


def _text(mail: LoggedMail) -> str | None:
    """The text of the chosen message, read once: each reading is recorded."""
    opened = st.session_state.get("mail_opened")
    if opened is None or opened.id != mail.id or opened.state != mail.state:
        viewer = current_viewer()
        with viewer_transaction(viewer.account_id) as connection:
            opened = get_mail(connection, viewer, mail.id, address=client_address())
        st.session_state.mail_opened = opened
    return opened.text_body


def _again_dialog(mail: LoggedMail) -> Dialog[LoggedMail]:
    return Dialog(Screen.MAIL_LOG, "Send again", _again, mail, may=may_administer, order_id=mail.order_id)


def _again(mail: LoggedMail) -> None:
    st.html(
        f"<p><strong><bdi>{html_text(mail.subject)}</bdi></strong><br>"
        f"to <bdi>{html_text(mail.to_address or 'deleted')}</bdi></p>"
    )
    if mail.state is MailState.SENT:
        st.html("<p>It was sent already. A second message with the same text will be sent.</p>")
    error = st.empty()
    if st.button("Send again", type="primary", key=field_key("again")):
        submit({"": error}, send_again, mail.id)


def _go_to(before: int | None) -> None:
    st.session_state.mails_before = before
