"""Values that came from outside, made safe for the place where they are shown. One function for each place."""

from markupsafe import escape

# Every ASCII punctuation mark may be escaped in Markdown; a letter may not.
_MARKS = frozenset("\\`*_{}[]()#+-.!|<>~:$&@/\"'=^%")


def html_text(value: object) -> str:
    """For the text of an element or a quoted attribute of `st.html`."""
    return str(escape(value))


def markdown_text(value: str) -> str:
    """For Markdown, which would otherwise load pictures, draw formulas and colours, and link what looks like a link."""
    one_line = " ".join(value.split())
    # A word joiner breaks addresses apart, which Streamlit would turn into links by themselves.
    escaped = "".join(f"\\{mark}" if mark in _MARKS else mark for mark in one_line)
    return escaped.replace("www\\.", "www\N{WORD JOINER}\\.")


# A label of a widget is Markdown as well.
label_text = markdown_text
