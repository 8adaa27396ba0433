"""The portal's pages are drawn by its own web server (pages/web/server.py) and refused by any other.

`streamlit run app.py` would serve them without the gate for requests, the security headers and the portal's own routes.
"""

import streamlit as st

REFUSAL = (
    "The portal cannot be started like this: type `make run`, or `python -m services.portal`, in its folder."
)
_is_own = False


def declare() -> None:
    """Call this once in a process that is the portal's own web server."""
    global _is_own
    _is_own = True


def require() -> None:
    """End the running page with a sentence that says what to type, unless this process is the portal's own server."""
    if not _is_own:
        st.error(REFUSAL)
        st.stop()
