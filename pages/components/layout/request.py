"""The browser behind the running page, for the audit log and for mails about changed credentials."""

import streamlit as st


def page_address() -> str | None:
    """The address of the browser behind the running page; None on this machine itself.

    Behind a trusted proxy it is the address that the proxy names (pages/web/proxies.py).
    """
    return st.context.ip_address


def page_browser() -> str | None:
    """The `User-Agent` of the browser behind the running page."""
    return st.context.headers.get("User-Agent")
