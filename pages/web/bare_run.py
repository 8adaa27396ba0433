"""The pages are drawn by the portal's own web server (pages/web/server.py) and by no other.

`streamlit run app.py` would serve them without the gate for requests, the security headers and the portal's own routes.
"""

from typing import Final

import streamlit as st

REFUSAL: Final = (
    "This portal has its own web server: type make run, or python -m services.portal, in its folder."
)

_is_served = False


def allow_pages() -> None:
    """Mark this process as the portal's own web server; called once."""
    global _is_served
    _is_served = True


def refuse_bare_run() -> None:
    """End the run with a sentence that says what to type, unless this process is the portal's own web server.

    To be called before anything of a page is drawn: another server runs the files of `pages/` by themselves.
    """
    if not _is_served:
        st.error(REFUSAL)
        st.stop()
