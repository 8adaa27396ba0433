"""A function that opens a transaction takes no `connection`, and the other way round: callers see which it is."""

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OPENERS: Final = {"viewer_transaction", "anonymous_transaction", "jobs_transaction", "reading_transaction"}
# Functions that do both, each with the reason.
_SECRETS: Final = (
    "reads the connection's secrets as the jobs role: an administrator's own transaction may not"
)
BOTH: Final[dict[str, str]] = {
    "executors.trial.check_credentials": _SECRETS,
    "helpdesk.trial.sign_request": _SECRETS,
}


def _called_name(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else None


def doing_both(source: str) -> list[str]:
    """Names of functions that take a connection and open a transaction as well."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        parameters = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        takes_connection = any(parameter.arg == "connection" for parameter in parameters)
        opens = any(isinstance(call, ast.Call) and _called_name(call) in OPENERS for call in ast.walk(node))
        if takes_connection and opens:
            names.append(node.name)
    return names


def test_no_function_takes_a_connection_and_opens_a_transaction() -> None:
    both = {
        f"{path.relative_to(ROOT / 'services').with_suffix('').as_posix().replace('/', '.')}.{name}"
        for path in (ROOT / "services").rglob("*.py")
        for name in doing_both(path.read_text(encoding="utf-8"))
    }
    assert both == set(BOTH)


def test_the_check_sees_a_function_that_does_both() -> None:
    source = (
        "def both(connection):\n    with jobs_transaction() as other:\n        pass\n"
        "def opens():\n    with engine.viewer_transaction(1) as connection:\n        pass\n"
        "def takes(connection):\n    connection.execute(1)\n"
    )
    assert doing_both(source) == ["both"]


def test_the_openers_are_those_of_the_database_package() -> None:
    defined = {
        node.name
        for path in (ROOT / "db" / "connections").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_transaction")
    }
    assert {name for name in defined if not name.startswith("_")} == OPENERS
