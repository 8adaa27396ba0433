"""Values from outside, made safe for the context in which they are shown: one function per context."""

import re

from markupsafe import escape

# Every ASCII punctuation mark may be escaped in Markdown; a letter may not.
_MARKS = frozenset("\\`*_{}[]()#+-.!|<>~:$&@/\"'=^%")
_SPACES = re.compile(r"\s{2,}|[^\S ]")
# Streamlit strips white space at the edges of lines, and a browser drops carriage returns; as references, they stay.
_SPACING = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def html_text(value: object) -> str:
    """Escape a value for the text of an element or a quoted attribute in `st.html`; white space is preserved."""
    text = str(escape(value))
    for character, reference in _SPACING.items():
        text = text.replace(character, reference)
    return text


def markdown_text(value: str) -> str:
    """Escape a value for Markdown, which would otherwise load pictures, draw formulas and colours, and make links."""
    # Several spaces would be drawn as one, but two codes or names may differ only in that.
    one_line = _SPACES.sub(lambda spaces: "\N{NO-BREAK SPACE}" * len(spaces[0]), value.strip())
    # A word joiner breaks addresses apart, which Streamlit would turn into links on its own.
    escaped = "".join(f"\\{mark}" if mark in _MARKS else mark for mark in one_line)
    return escaped.replace("www\\.", "www\N{WORD JOINER}\\.")


# A label of a widget is Markdown as well.
label_text = markdown_text
