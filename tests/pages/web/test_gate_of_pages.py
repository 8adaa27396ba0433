"""No page is drawn past `app.py`: by a fresh web server of ours, and by one that was started without it."""

import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.web.bare_run import REFUSAL
from tests.support.line import Line, line
from tests.support.portal import PROJECT, serving
from tests.support.ports import free_port

CANARY = "The canary was drawn."
TITLES = {"orders": "Orders", "administration": "Administration", "refund_queue": "Refund queue"}
_MAY_BE_NAMED = ("new_session", "navigation", "page_info_changed")  # the list of pages, not what is on them


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one more file in `pages`, which no navigation names."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pages", "services", "db", ".streamlit"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder)
    (folder / "pages" / "canary.py").write_text(f"import streamlit as st\nst.text({CANARY!r})\n")
    return folder


def visit(url: str, page: str) -> Line:
    """Everything that the server sends to a browser without a cookie that opens this page, until the run is over."""
    with line(url) as visitor:
        return visitor.run(page_name=page)


def drawn(visitor: Line) -> str:
    """What of it is on the page, as text."""
    return "\n".join(str(m) for m in visitor.messages if m.WhichOneof("type") not in _MAY_BE_NAMED)


def elements(messages: list[ForwardMsg]) -> int:
    return sum(m.WhichOneof("type") == "delta" and m.delta.HasField("new_element") for m in messages)


@pytest.mark.parametrize("first", ["canary", *TITLES])
def test_the_first_visitor_of_a_fresh_server_sees_the_sign_in_form_alone(
    first: str, database: str, project: Path, tmp_path: Path
) -> None:
    """Nobody has called `st.navigation` in a session yet, which is what keeps Streamlit from the folder later on."""
    environment = os.environ | {"PORT": str(free_port())}
    with serving(environment, tmp_path / "log", project=project) as url:
        for page in (first, first):
            visitor = visit(url, page)
            assert "sign_in_card" in drawn(visitor)
            assert not visitor.shows(CANARY) and not visitor.shows(REFUSAL)
            assert f'body: "{TITLES.get(page)}"' not in drawn(visitor), "no title of the page"


@pytest.fixture(scope="module")
def bare(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`streamlit run app.py` without any setting, as somebody types it who knows Streamlit."""
    folder = tmp_path_factory.mktemp("bare")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ESUPPORT_", "DATABASE_URL", "STREAMLIT_"))
    } | {"PORT": str(free_port()), "ESUPPORT_DATA": str(folder / "data")}
    with serving(
        environment, folder / "log", project=project, script="app.py", health="/_stcore/health"
    ) as url:
        yield url
    assert not (folder / "data").exists(), "no database was started"


@pytest.mark.parametrize(
    "page", ["", "orders", "profile", "administration", "refund_queue", "reports", "my_requests"]
)
def test_streamlit_run_app_says_what_to_type_and_shows_no_page(bare: str, page: str) -> None:
    assert "make run" in REFUSAL and "python -m services.portal" in REFUSAL
    visitor = visit(bare, page)
    assert drawn(visitor).count(REFUSAL) == 1
    assert elements(visitor.messages) == 1, "nothing but the sentence"


@pytest.mark.parametrize("path", ["/health", "/readyz", "/export/x.csv", "/documents/1", "/o/x"])
def test_streamlit_run_app_has_no_route_of_the_portal(bare: str, path: str) -> None:
    with urllib.request.urlopen(f"{bare}{path}", timeout=10) as answer:
        assert b"<title>Streamlit</title>" in answer.read(), "Streamlit's own page, as for any address"


def test_streamlit_run_app_draws_any_file_of_the_folder(bare: str) -> None:
    """The control of the canary: this is what the portal's own server keeps Streamlit from."""
    assert visit(bare, "canary").shows(CANARY)
