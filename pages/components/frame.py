"""What stands around every page: the portal's name, the person's menu, and the few lines of style for both."""

import streamlit as st

from pages.components.authenticator import sign_out
from services.access import Viewer

_STYLE = """
<style>
.st-key-cookie_change { position: absolute; height: 0; overflow: hidden; }
.st-key-sign_in_card { margin: 10vh auto 0; max-width: 100%; }
</style>
"""


def draw(viewer: Viewer | None) -> None:
    st.html(_STYLE)
    if viewer is None:
        return
    with st.container(key="person_menu"):
        chosen = st.menu_button(viewer.name, ["Profile", "Sign out"], key="person", type="tertiary")
    if chosen == "Profile":
        st.switch_page("pages/profile.py")
    elif chosen == "Sign out":
        sign_out()
        st.rerun()
