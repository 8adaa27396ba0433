"""The portal's own stylesheet, for what the theme in .streamlit/config.toml cannot express."""

from functools import cache
from pathlib import Path

import streamlit as st

from pages.web.bare_run import refuse_bare_run


@cache
def _sheet() -> str:
    return (Path(__file__).parents[2] / "static" / "portal.css").read_text(encoding="utf-8")


def page_style() -> None:
    """Draw the stylesheet, once per page and before all else of it."""
    refuse_bare_run()
    st.html(f"<style>{_sheet()}</style>")
