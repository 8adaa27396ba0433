"""The documentation as tests read it: its files, what is code in them, and the names that the code defines."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "db", "docs", "pages", "services", "tests", ".ci", ".streamlit")
# All but the changelog, which names what was, and the notices, which have a test of their own.
DOCS = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "db").rglob("README.md"),
        *(ROOT / "services").rglob("README.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]
)


@cache
def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, also where there is no git; without what tools and running programs leave behind."""
    inside = (
        path
        for name in FOLDERS
        for path in sorted((ROOT / name).rglob("*"))
        if "__pycache__" not in path.parts
    )
    return tuple(path for path in (*sorted(ROOT.iterdir()), *inside) if path.is_file())


@cache
def code_text() -> str:
    """Everything but the documentation and its tests."""
    endings = {".py", ".sql", ".js", ".css", ".jinja", ".toml", ".conf", ".ini", ".mako", ""}
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in project_files()
        if path.suffix in endings and path.name not in ("test_docs.py", "documentation.py")
    )


def code_blocks(document: Path) -> list[str]:
    return re.findall(r"^ *```\w*\n(.*?)^ *```", text_of(document), re.M | re.S)


def spans(document: Path) -> list[str]:
    """The text between single backticks; a line break inside it is a space."""
    prose = re.sub(r"^ *```.*?^ *```", "", text_of(document), flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def said(document: Path) -> str:
    """All code of a document, for commands."""
    return "\n".join([*spans(document), *code_blocks(document)])


@cache
def names_in(module: Path) -> frozenset[str]:
    """What a Python file defines, `Class.member` included; for any other file all of its words."""
    source = module.read_text(encoding="utf-8")
    if module.suffix != ".py":
        return frozenset(re.findall(r"\w+", source))
    return frozenset(_defined(ast.parse(source).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> list[str]:
    names = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            names += _defined(node.body, f"{node.name}.")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
    return names


def each(path: Path) -> str:
    """A name for a parametrised test."""
    return str(path.relative_to(ROOT))
