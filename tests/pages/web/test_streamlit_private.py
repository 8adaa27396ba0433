"""What the portal relies on in Streamlit beyond its documentation is still as it was read."""

import importlib.metadata
import re
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from pages.web import streamlit_private

PROJECT = Path(__file__).resolve().parents[3]
STATIC = sorted((PROJECT / "pages" / "static").glob("*.*"))


@pytest.mark.parametrize(("package", "version"), list(streamlit_private.READ_AT.items()))
def test_the_versions_at_which_the_private_parts_were_read(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


def test_a_running_page_is_noticed() -> None:
    assert not streamlit_private.is_page_running()
    page = AppTest.from_string(
        "import streamlit as st\n"
        "from pages.web import streamlit_private\n"
        "st.text(f'running: {streamlit_private.is_page_running()}')\n"
    ).run(timeout=30)
    assert page.text[0].value == "running: True"
    assert not streamlit_private.is_page_running()


@pytest.fixture(scope="module")
def front_end() -> str:
    """The scripts of the installed Streamlit."""
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.js"))


@pytest.mark.parametrize("name", [*streamlit_private.TEST_IDS, *streamlit_private.CLASSES])
def test_what_is_styled_is_in_the_front_end(front_end: str, name: str) -> None:
    # `stBaseButton-primary` is made of its beginning and a kind.
    beginning = name.split("-")[0] if name.startswith("st") else name
    assert re.search(rf"[`\"'\s]{re.escape(beginning)}[`\"'\s$-]", front_end)


def test_every_name_of_streamlits_in_our_files_is_listed() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in STATIC)
    assert set(re.findall(r"data-testid[~|^$*]?=[\"']?([A-Za-z-]+)", text)) == set(streamlit_private.TEST_IDS)
    assert set(re.findall(r"\.(st[A-Z][A-Za-z]+)", text)) == set(streamlit_private.CLASSES)


def test_every_key_that_is_styled_is_a_widgets() -> None:
    """`st-key-…` is the class of the element with this key; one that ends in `_` is the beginning of several."""
    text = "".join(path.read_text(encoding="utf-8") for path in STATIC)
    code = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "pages").rglob("*.py"))
    # Written beside the widget, in a constant, or made by a function of its own.
    keys = re.findall(r"(?:\bkey=|: Final = |\breturn )f?\"([^\"{][^\"]*)\"", code)
    # A form's button has a key of Streamlit's own making.
    styled = set(re.findall(r"st-key-([A-Za-z_-]+)", text)) - {"FormSubmitter"}
    assert {name for name in styled if not any(_may_be(name, key) for key in keys)} == set()


def _may_be(styled: str, key: str) -> bool:
    """Whether a widget's key can be what is styled; from the first `{` of an f-string on, it may be anything."""
    literal, is_open, _ = key.partition("{")
    if is_open and styled.startswith(literal):
        return True
    return literal == styled or (styled.endswith("_") and literal.startswith(styled))
