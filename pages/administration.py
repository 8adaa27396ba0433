"""Administration: accounts, teams, checkout pages, texts, connections, the audit log, personal data, the mail log."""

import streamlit as st

from pages.components.administration.accounts import accounts
from pages.components.administration.audit_log import audit
from pages.components.administration.connection_trouble import connection_trouble
from pages.components.administration.connections import connections
from pages.components.administration.mail_log import mail_log
from pages.components.administration.mail_trouble import mail_trouble
from pages.components.administration.personal_data import erasure
from pages.components.administration.refund_reasons import refund_reasons
from pages.components.administration.stores import stores
from pages.components.administration.teams import teams
from pages.components.administration.texts import texts
from pages.components.layout.dialogs import show_result
from pages.components.layout.errors import showing_errors
from pages.components.layout.style import page_style

_SECTIONS = {
    "Accounts": accounts,
    "Teams": teams,
    "Checkout pages": stores,
    "Refund reasons": refund_reasons,
    "Texts": texts,
    "Connections": connections,
    "Audit log": audit,
    "Personal data": erasure,
    "Mail log": mail_log,
}


def page() -> None:
    page_style()
    st.title("Administration", anchor=False)
    show_result()
    mail_trouble()
    connection_trouble()
    section = st.segmented_control(
        "Section",
        list(_SECTIONS),
        default="Accounts",
        key="administration_section",
        label_visibility="collapsed",
        required=True,
    )
    _SECTIONS[section or "Accounts"]()


with showing_errors():
    page()
