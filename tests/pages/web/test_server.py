"""The process that serves the pages."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.web.own_server import REFUSAL
from tests.support.line import line
from tests.support.portal import PROJECT, serving
from tests.support.ports import free_port

# As `streamlit run pages/web/server.py` imports it: under its bare name, with its folder first.
_CHECKS = """
import sys
sys.path.insert(0, {pages!r})
import server
import profile
assert not profile.__file__.startswith({project!r}), profile.__file__
assert "/health" in [route.path for route in server._routes()]
"""
CANARY = "The canary was drawn."


def test_the_server_shadows_no_module(database: str) -> None:
    checks = _CHECKS.format(pages=str(PROJECT / "pages" / "web"), project=str(PROJECT / "pages"))
    done = subprocess.run(
        [sys.executable, "-c", checks], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more file in `pages`, which no navigation names."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pages", "services", "db", ".streamlit"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder)
    (folder / "pages" / "canary.py").write_text(f"import streamlit as st\nst.text({CANARY!r})\n")
    return folder


def test_no_file_of_the_pages_folder_runs_before_the_gate(database: str, copy: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PORT": str(free_port())}
    with serving(environment, tmp_path / "log", project=copy) as url:
        # The very first visitor of a fresh process: nobody has called st.navigation in a session yet.
        with line(url) as first:
            first.run(page_name="canary")
        assert not first.shows(CANARY)
        assert first.shows("Password")
        with line(url) as second:
            second.run(page_name="orders")
        assert second.shows("Password")


@pytest.fixture(scope="module")
def bare(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`streamlit run app.py` without any setting, as somebody types it who knows Streamlit."""
    folder = tmp_path_factory.mktemp("bare")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ESUPPORT_", "DATABASE_URL", "STREAMLIT_"))
    } | {"PORT": str(free_port()), "ESUPPORT_DATA": str(folder / "data")}
    with serving(environment, folder / "log", project=copy, script="app.py", health="/_stcore/health") as url:
        yield url
    assert not (folder / "data").exists(), "no database was started"


def test_a_bare_streamlit_run_refuses_and_says_what_to_type(bare: str) -> None:
    assert "make run" in REFUSAL and "python -m services.portal" in REFUSAL
    for page_name in ("", "orders", "profile", "administration", "refund_queue", "reports", "my_requests"):
        with line(bare) as visitor:
            visitor.run(page_name=page_name)
        assert visitor.shows(REFUSAL), page_name
        assert not visitor.shows("Password"), page_name
    for path in ("/health", "/readyz", "/export/x.csv", "/documents/1", "/o/x"):
        with urllib.request.urlopen(f"{bare}{path}", timeout=10) as answer:
            assert b"<title>Streamlit</title>" in answer.read(), (
                "Streamlit's own page: there is no such route"
            )


def test_a_bare_streamlit_run_would_draw_a_file_of_the_pages_folder(bare: str) -> None:
    """The control of the canary: this is what the portal's own server keeps Streamlit from."""
    with line(bare) as visitor:
        visitor.run(page_name="canary")
    assert visitor.shows(CANARY)
