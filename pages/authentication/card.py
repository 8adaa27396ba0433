"""The card in the middle of an otherwise empty page, for signing in and for everything before the gate."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.layout.style import page_style


def sign_in_card(title: str | None = None, *, width: int = 380) -> DeltaGenerator:
    """The card with its heading, if it has one; `width` in pixels."""
    page_style()
    card = st.container(horizontal_alignment="center").container(key="sign_in_card", width=width, border=True)
    if title is not None:
        card.subheader(title, anchor=False)
    return card
