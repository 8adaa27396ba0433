"""Where a request comes from, for the audit log and for mails about changed credentials."""

import streamlit as st


def page_address() -> str | None:
    """The address of the browser behind the running page; None on this machine itself.

    Behind a proxy on the same machine it is what the proxy says (X-Forwarded-For), which uvicorn has put in place.
    """
    return st.context.ip_address


def page_browser() -> str | None:
    """What the browser behind the running page calls itself (User-Agent)."""
    return st.context.headers.get("User-Agent")
