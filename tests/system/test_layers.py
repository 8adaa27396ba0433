"""The house rules that import-linter does not hold: pages build no statements, modules and functions stay short."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.documentation import ROOT, project_files

MODULES = sorted(p for folder in ("services", "db") for p in (ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
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
        if re.fullmatch(r"db\.schema\.(\w+_)?tables", n) or re.match(r"(db\.statements|psycopg)\b", n)
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


def test_every_fragment_asks_anew_who_is_signed_in() -> None:
    """`fragments.fragment` does so, once per draw."""
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
    """`dialogs.draw_dialog` does so at each draw; a dialog that is drawn past it would not."""

    def files_with(pattern: str) -> set[str]:
        return {
            str(path.relative_to(ROOT))
            for path in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"))
            if re.search(pattern, path.read_text(encoding="utf-8"))
        }

    assert files_with(r"\bst\.dialog\b") == {"pages/components/layout/fragments.py"}
    own = r"\bfragments\.dialog\b|\bfragments import .*\bdialog\b"
    assert files_with(own) == {"pages/components/layout/dialogs.py"}


# The type of what `st.empty()` returns, and `uvicorn.run`.
DOCUMENTED = {"streamlit.delta_generator", "uvicorn"}


def test_what_streamlit_does_not_document_is_used_in_one_module() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in modules_of(node)
        if re.match(r"streamlit\.|streamlit_authenticator|extra_streamlit|uvicorn", name)
        and name not in DOCUMENTED
    }
    assert users == {"pages/web/streamlit_private.py"}


def modules_of(node: ast.AST) -> list[str]:
    """The modules that an import names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


# The number of places in services that say `Any`. It only shrinks: who removes one lowers it.
MOST_ANY = 38


def places_of_any(path: Path) -> list[int]:
    """The lines of a module that use `Any`, once per use; the import of the name is no use of it."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and node.attr == "Any")
    ]


def test_services_say_any_no_more_often_than_before() -> None:
    by_module = {
        str(path.relative_to(ROOT)): len(lines)
        for path in sorted((ROOT / "services").rglob("*.py"))
        if (lines := places_of_any(path))
    }
    total = sum(by_module.values())
    print(f"Any in services: {total} (at most {MOST_ANY})", by_module)
    assert total <= MOST_ANY, by_module


def test_no_file_names_a_folder_of_one_machine() -> None:
    """Homes and working folders of whoever wrote a file; others cannot have them."""
    folders = re.compile(r"(?<![\w.:/}])/(?:work|home|Users|tmp/(?!esupport)\w+)/\w")
    named = {
        f"{path.relative_to(ROOT)}:{number}": line.strip()
        for path in project_files()
        if path.name != ".git"  # names the repository that a worktree belongs to
        and b"\0" not in (content := path.read_bytes())
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1)
        if folders.search(line)
    }
    assert named == {}
