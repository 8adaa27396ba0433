"""The documentation names only what exists: files, names in code, variables, commands, make targets, links.

How a name is written decides how it is checked; CONTRIBUTING.md explains the notation under "Documentation".
"""

import importlib.util
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.support.documentation import (
    DOCS,
    FOLDERS,
    ROOT,
    code_text,
    each,
    names_in,
    project_files,
    said,
    spans,
    text_of,
)

# Names of PostgreSQL, its tools and libraries, which no file of ours has to contain; the last three are PostgreSQL's
# own names for indexes of keys.
OTHERS = frozenset(
    """
    get_server hot_standby_feedback log_parameter_max_length max_standby_streaming_delay order_key pg_basebackup
    pg_partman pg_stat_replication shared_buffers
    orders_order_id_checkout_page_id_key orders_page_key_key orders_pkey
    """.split()  # noqa: SIM905 - a list of words reads better than thirty quotes
)
LIBRARIES_VARIABLES = frozenset({"SSL_CERT_FILE", "STREAMLIT_SERVER_ADDRESS"})
OURS = r"(?:ESUPPORT|DATABASE|SMTP|MAIL|OIDC)_[A-Z_]+"


every_document = pytest.mark.parametrize("document", DOCS, ids=each)


def missing_in(path: str, name: str) -> bool:
    """Whether `path::name` names something that is not there; paths of tests may leave out `tests/`."""
    file = ROOT / path if (ROOT / path).is_file() else ROOT / "tests" / path
    return not file.is_file() or name.removesuffix("()") not in names_in(file)


@every_document
def test_every_file_exists(document: Path) -> None:
    paths = [
        s for s in spans(document) if re.fullmatch(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*", s)
    ]
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


@every_document
def test_every_file_named_without_its_folder_exists(document: Path) -> None:
    file_names = {path.name for path in project_files()}
    names = [
        s for s in spans(document) if re.fullmatch(r"[\w.-]+\.(?:py|js|css|sql|jinja|conf|ini|md|toml)", s)
    ]
    assert [name for name in names if name not in file_names] == []


@every_document
def test_every_name_in_a_file_exists(document: Path) -> None:
    """`package/module.py::name`, also of SQL and other files."""
    pairs = [
        match.groups()
        for s in spans(document)
        if (match := re.fullmatch(r"([\w./-]+)::([\w.]+(?:\(\))?)", s))
    ]
    assert [f"{path}::{name}" for path, name in pairs if missing_in(path, name)] == []
    assert [
        s for s in spans(document) if "::" in s and not re.fullmatch(r"[\w./-]+::[\w.]+(?:\(\))?", s)
    ] == []


@every_document
def test_a_function_of_sql_is_named_where_it_was_defined_last(document: Path) -> None:
    """Migrations replace functions: any file but the last that defines one holds dead text."""
    named = [s.split("::") for s in spans(document) if re.fullmatch(r"db/migrations/sql/\w+\.sql::\w+", s)]
    dead = []
    for path, name in named:
        defining = [
            each(file)
            for file in sorted((ROOT / "db" / "migrations" / "sql").glob("*.sql"))
            if re.search(rf"CREATE (?:OR REPLACE )?FUNCTION {name}\(", text_of(file))
        ]
        if defining and defining[-1] != path:
            dead.append(f"{name} was defined last in {defining[-1]}, not in {path}")
    assert dead == []


@every_document
def test_every_dotted_name_exists(document: Path) -> None:
    """`services.refunds.requests.request_refund`, and modules and packages alone."""
    missing = []
    for span in spans(document):
        if not re.fullmatch(r"(?:bench|db|pages|services|tests)(?:\.\w+)+(?:\(\))?", span):
            continue
        parts = span.removesuffix("()").split(".")
        folder = ROOT.joinpath(*parts)
        module, member = ROOT.joinpath(*parts[:-1]).with_suffix(".py"), parts[-1]
        if not (
            folder.is_dir() or folder.with_suffix(".py").is_file()
            or (module.is_file() and member in names_in(module))
        ):  # fmt: skip
            missing.append(span)
    assert missing == []


@every_document
def test_every_name_of_code_occurs_in_the_code(document: Path) -> None:
    """Tables, columns, functions of SQL, classes: whatever has an underscore or two capitals, as a whole word."""
    pattern = r"([a-z]+(?:_[a-z0-9]+)+|(?:[A-Z][a-z0-9]+){2,})(?:\(.*\))?"
    names = {match[1] for s in spans(document) if (match := re.fullmatch(pattern, s))} - OTHERS
    assert {name for name in names if not re.search(rf"\b{name}\b", code_text())} == set()


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_variable_is_read_by_the_code(document: Path) -> None:
    named = set(re.findall(rf"\b({OURS})\b", text_of(document))) - LIBRARIES_VARIABLES
    assert {name for name in named if f'"{name}"' not in code_text()} == set()


def test_every_variable_of_the_code_is_documented() -> None:
    program = [
        p for p in project_files() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ("db", "services")
    ]
    read = {name for path in program for name in re.findall(rf'"({OURS})"', path.read_text(encoding="utf-8"))}
    assert len(read) > 10
    operating = text_of(ROOT / "docs" / "operating.md")
    assert {name for name in read | {"PORT"} if f"`{name}`" not in operating} == set()


@cache
def help_of(*command: str) -> str:
    """What `python -m … --help` prints; empty when there is no such command."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    return done.stdout if done.returncode == 0 else ""


def commands_named() -> set[tuple[str, ...]]:
    """(module, subcommand) of everything that begins with `python -m`, the options after it included."""
    commands: set[tuple[str, ...]] = set()
    for document in DOCS:
        for module, rest in re.findall(r"python -m ((?:db|services|bench)[\w.]*)([^\n`|&]*)", said(document)):
            subcommand = re.match(r" ([a-z][a-z-]+)", rest)
            options = re.findall(r"(--[a-z][a-z-]+)", rest)
            commands.add((module, *([subcommand[1]] if subcommand else []), *options))
    return commands


@pytest.mark.parametrize("command", sorted(commands_named()), ids=" ".join)
def test_every_command_exists(command: tuple[str, ...]) -> None:
    module, *rest = command
    assert importlib.util.find_spec(module) is not None
    if module not in (
        "bench",
        "db",
        "services.accounts",
        "services.mail",
    ):  # takes no arguments, so it would start
        assert rest == []
        return
    options = [word for word in rest if word.startswith("--")]
    shown = help_of(module, *(word for word in rest if not word.startswith("--")))
    assert shown, "there is no such command"
    assert [option for option in options if option not in shown] == []


def test_every_command_of_the_database_is_documented() -> None:
    listed = re.findall(r"^ {4}([a-z]+) ", help_of("db"), re.M)
    assert len(listed) > 8
    operating = text_of(ROOT / "docs" / "operating.md")
    assert [name for name in listed if f"python -m db {name}" not in operating] == []


@every_document
def test_every_make_target_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:\w+=\S+ )*make ([a-z][a-z-]*)", said(document), re.M))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.M)} == set()


def test_the_security_table_names_a_test_for_what_it_claims() -> None:
    table = text_of(ROOT / "docs" / "security.md")
    assert len(set(re.findall(r"`[\w/]+/test_\w+\.py::test_\w+`", table))) > 150
    met = re.findall(r"^\| ([\d.]+ .*?) \| met \| (.*) \|$", table, re.M)
    assert len(met) > 70
    unproven = [
        item for item, how in met if not re.search(r"::test_|[Nn]o test|no test|same test|[Aa]s \d+\.", how)
    ]
    assert unproven == []


def test_the_floors_in_contributing_are_those_that_the_linter_holds() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [floors] = [
        c for c in settings["tool"]["importlinter"]["contracts"] if c.get("containers") == ["services"]
    ]
    table = text_of(ROOT / "CONTRIBUTING.md").split("| floor |")[1].split("\n\n")[0]
    rows = [
        set(re.findall(r"`services/(\w+)(?:\.py|/)`", row.split(" | ")[0])) for row in table.splitlines()[2:]
    ]
    assert rows == [set(layer.split(" | ")) for layer in floors["layers"]]
