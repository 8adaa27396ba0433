"""The buttons of an order, and the names that they have for those who do not see what they stand beside."""

from typing import Any, Literal

import streamlit as st
from markupsafe import Markup

from pages.components.layout.dialogs import Dialog, open_dialog
from pages.rendering.escaping import html_text


# Any: each dialog has a subject of its own.
def dialog_button(
    label: str, key: str, dialog: Dialog[Any], *, type_: Literal["secondary", "tertiary"] = "tertiary"
) -> None:
    """A button that only opens its dialog."""
    st.button(label, key=key, type=type_, on_click=open_dialog, args=(dialog,))


def button_name(key: str, name: str) -> Markup:
    """HTML that names the button of this key, whose visible words the name begins with; pages/static/names.js applies
    it. Streamlit itself can name a button by its label alone."""
    return Markup(  # noqa: S704 - escaped
        f'<span hidden data-button="{html_text(key)}" data-name="{html_text(name)}"></span>'
    )
