"""Administration: the mail log."""

import streamlit as st

from pages.components.dialogs import show_said
from pages.components.errors import showing_errors
from pages.components.mail_log import mail_log
from pages.components.style import page_style


def page() -> None:
    page_style()
    st.title("Administration", anchor=False)
    show_said()
    mail_log()


with showing_errors():
    page()
