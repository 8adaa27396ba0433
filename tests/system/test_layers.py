"""The house rules that import-linter does not hold: pages build no statements, modules and functions stay short."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(p for folder in ("services", "db") for p in (ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_services_and_db_know_nothing_of_streamlit_or_pages(path: Path) -> None:
    reached = {
        n
        for n in imports_of(path)
        if n.split(".")[0] in ("streamlit", "streamlit_authenticator", "pages", "app")
    }
    assert reached == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_pages_build_no_statements(path: Path) -> None:
    reached = {
        n
        for n in imports_of(path)
        if n in ("db.schema.tables", "db.schema.account_tables", "db.statements.search")
        or n.startswith("psycopg")
    }
    assert reached == set()


LONGEST_MODULE, LONGEST_FUNCTION = 300, 50
CODE = [
    ROOT / "app.py",
    *(p for f in ("services", "db", "pages", "tests", "bench") for p in (ROOT / f).rglob("*.py")),
]


def test_modules_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in CODE
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_functions_fit_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}::{node.name}": lines
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def _files_with(pattern: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }


def test_every_dialog_looks_at_session_and_scope_when_it_is_drawn() -> None:
    """`dialogs.draw_dialog` does so at each draw; a dialog that is drawn past it would not."""
    assert _files_with(r"\bst\.dialog\b") == {"pages/components/layout/fragments.py"}
    assert _files_with(r"\bfragments\.dialog\b|\bfragments import .*\bdialog\b") == {
        "pages/components/layout/dialogs.py"
    }


def test_every_fragment_checks_its_session_once_per_draw() -> None:
    assert _files_with(r"\bst\.fragment\b") == {"pages/components/layout/fragments.py"}


# The type of what `st.empty()` returns.
_DOCUMENTED = {"streamlit.delta_generator"}


def test_what_streamlit_does_not_document_is_used_in_one_module() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
        for name in imports_of(path)
        if re.match(r"streamlit\.|streamlit_authenticator|extra_streamlit|uvicorn", name)
        and name not in _DOCUMENTED
    }
    assert users == {"pages/web/streamlit_private.py"}
