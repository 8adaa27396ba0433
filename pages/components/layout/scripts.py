"""The portal's own scripts: what a page does where Streamlit has no say in it.

They are sent as one element, because one that is large enough is sent once a tab and not at every click.
"""

from pathlib import Path

import streamlit as st

_NAMES = ("calendar", "habits", "tooltips")


def _whole() -> str:
    parts = []
    for name in _NAMES:
        text = (Path(__file__).parents[2] / "static" / f"{name}.js").read_text(encoding="utf-8")
        parts.append(f"const {name} = (() => {{\n{text}\nreturn start;\n}})();\n")
    calls = " ".join(f"{name}();" for name in _NAMES)
    return f"{''.join(parts)}export default function () {{ {calls} }}\n"


_scripts = st.components.v2.component(
    "esupport_scripts", html="<span></span>", js=_whole(), isolate_styles=False
)


def draw_scripts() -> None:
    """Once a page, outside of forms."""
    _scripts(key="page_scripts")
