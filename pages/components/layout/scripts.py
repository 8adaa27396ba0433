"""The portal's own scripts, for what a page does beyond Streamlit.

They are sent as one element, because Streamlit sends a large enough element once per tab and not at every click.
"""

from pathlib import Path

import streamlit as st

_NAMES = ("box", "calendar", "choices", "habits", "tooltips", "rows", "keys", "names")


def _script() -> str:
    parts = []
    for name in _NAMES:
        text = (Path(__file__).parents[2] / "static" / f"{name}.js").read_text(encoding="utf-8")
        parts.append(f"const {name} = (() => {{\n{text}\nreturn start;\n}})();\n")
    calls = " ".join(f"{name}();" for name in _NAMES)
    return f"{''.join(parts)}export default function () {{ {calls} }}\n"


_scripts = st.components.v2.component(
    "esupport_scripts", html="<span></span>", js=_script(), isolate_styles=False
)


def draw_scripts() -> None:
    """Draw the scripts, once per page and outside of forms."""
    _scripts(key="page_scripts")
