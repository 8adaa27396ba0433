"""The notice for administrators that mails wait."""

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import markdown_text
from pages.rendering.formatting import format_time
from services.mail.server_state import find_mail_server


def mail_trouble() -> None:
    """Say why no mail is sent, if none is: mails wait until the trouble is over."""
    viewer = current_viewer()
    if not viewer.may_administer:
        return
    with viewer_transaction(viewer.account_id) as connection:
        server = find_mail_server(connection)
    if server is None or server.trouble is None or server.trouble_since is None:
        return
    since = format_time(server.trouble_since, time_zone())
    st.error(
        markdown_text(
            f"Mails wait since {since}: {server.trouble.rstrip('.')}. Check the mail server, SMTP_URL and MAIL_FROM. "
            "No mail is lost: they are sent once this is put right."
        ),
        icon=":material/unsubscribe:",
    )
