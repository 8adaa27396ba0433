"""The layers: pages draw, services hold the rules, db holds the rest. A module may only look down."""

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


def test_modules_stay_short() -> None:
    long = {
        str(p.relative_to(ROOT)): lines
        for folder in ("services", "db", "pages", "tests", "bench")
        for p in (ROOT / folder).rglob("*.py")
        if (lines := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_every_fragment_asks_anew_who_is_signed_in() -> None:
    """`fragments.fragment` does so; Streamlit's own decorator would draw for the viewer of an earlier run."""
    drawn = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("fragment", "experimental_fragment"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "streamlit"
            and "fragment" in {n.name for n in node.names}
        )
    }
    assert drawn == {"pages/components/layout/fragments.py"}


def test_every_dialog_looks_at_session_and_scope_when_it_is_drawn() -> None:
    """`dialogs.show` does so at each draw; a dialog that is drawn past it would not."""
    drawn = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pages").rglob("*.py")
        if re.search(r"\bst\.dialog\b", path.read_text(encoding="utf-8"))
    }
    assert drawn == {"pages/components/layout/dialogs.py"}
