"""The frame of every page: the portal's name, the viewer's menu, and the style of both."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from pages.components.layout.scripts import draw_scripts
from pages.rendering.escaping import label_text
from services.access import Viewer
from services.accounts.profile import has_public_passwords

PROFILE = "Profile"
SIGN_OUT = "Sign out"
# A picture: Streamlit leaves no other room left of the navigation.
_NAME = """<svg width="150" height="24" viewBox="0 0 150 24" role="img" aria-label="ESupport portal">
<style>text { fill: #0f766e } @media (prefers-color-scheme: dark) { text { fill: #5eead4 } }</style>
<text x="0" y="17.5" font-family="-apple-system, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif"
 font-size="17" font-weight="650">ESupport portal</text></svg>"""
# An empty one would make browsers ask for Streamlit's.
ICON = """<svg width="32" height="32" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f766e"/>
<path d="M10 9h12v3h-8.5v2.6H21v2.9h-7.5v2.6H22v3H10z" fill="#fff"/></svg>"""


@cache
def _sheet() -> str:
    return (Path(__file__).parents[2] / "static" / "frame.css").read_text(encoding="utf-8")


def draw(viewer: Viewer | None, *, on_sign_out: Callable[[], None]) -> None:
    """Draw the frame; without a viewer (at sign-in, or before a first password) only its style."""
    st.html(f"<style>{_sheet()}</style>")
    if _warns():
        st.html(
            '<div class="es-warning" role="alert">Demo accounts are active, and their password is public. '
            "Disable them before real orders are kept here.</div>"
        )
    if viewer is None:
        return
    draw_scripts()
    st.logo(_NAME, size="medium")
    with st.container(key="person_menu"):
        chosen = st.menu_button(
            label_text(viewer.name),
            [PROFILE, SIGN_OUT],
            key="person",
            type="tertiary",
            icon=":material/person:",
            wrap=False,
        )
    if chosen == PROFILE:
        st.switch_page("pages/profile.py")
    elif chosen == SIGN_OUT:
        on_sign_out()
        st.rerun()


@st.cache_data(ttl=60, show_spinner=False)
def _warns() -> bool:
    return has_public_passwords()
