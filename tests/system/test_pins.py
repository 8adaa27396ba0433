"""Pins: what the code imports is listed, and what is listed is compiled with an exact version and hashes."""

import ast
import re
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = (
    ROOT / "app.py",
    *(path for folder in ("pages", "services", "db") for path in (ROOT / folder).rglob("*.py")),
)
TEST = tuple(path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py"))
PINS = ("requirements", "tests/requirements")


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def chosen(path: str) -> dict[str, str]:
    """The versions that a `.in` file lists, by distribution."""
    lines = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", (ROOT / path).read_text(encoding="utf-8"), re.M)
    return {normalised(name): version for name, version in lines}


def compiled(path: str) -> dict[str, list[tuple[str, str]]]:
    """Each pin of a compiled file: (version, the rest of its entry with the hashes), by distribution."""
    pins: dict[str, list[tuple[str, str]]] = {}
    text = re.sub(r"^ *#.*\n", "", (ROOT / path).read_text(encoding="utf-8"), flags=re.M)
    for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)(.*(?:\n .*)*)", text, re.M):
        pins.setdefault(normalised(name), []).append((version, rest))
    return pins


def imported(files: tuple[Path, ...], distributions: Mapping[str, list[str]]) -> dict[str, Path]:
    """The distributions that the files import, each with a file that does."""
    own = {"app", "pages", "services", "db", "bench", "tests"}
    names: dict[str, Path] = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for module in {module.split(".")[0] for module in modules} - own - sys.stdlib_module_names:
                names |= dict.fromkeys(map(normalised, distributions[module]), path.relative_to(ROOT))
    return names


def test_everything_that_is_imported_is_listed() -> None:
    distributions = packages_distributions()
    run, test = chosen("requirements.in"), chosen("tests/requirements.in")
    assert {name: path for name, path in imported(RUN, distributions).items() if name not in run} == {}
    assert {
        name: path for name, path in imported(TEST, distributions).items() if name not in run | test
    } == {}


@pytest.mark.parametrize("name", PINS)
def test_what_is_listed_is_compiled_in_the_same_version(name: str) -> None:
    pins = compiled(f"{name}.txt")
    assert len(pins) > 60
    assert {
        distribution: version
        for distribution, version in chosen(f"{name}.in").items()
        if [version] != [pin for pin, _ in pins.get(distribution, ())]
    } == {}


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links", text)
    assert [pin for pin, rest in all_pins(name) if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)] == []


def all_pins(name: str) -> list[tuple[str, str]]:
    return [
        (f"{distribution}=={version}", rest)
        for distribution, versions in compiled(f"{name}.txt").items()
        for version, rest in versions
    ]


def test_the_tests_run_with_what_the_portal_runs_with() -> None:
    tests = {pin for pin, _ in all_pins("tests/requirements")}
    assert {pin for pin, _ in all_pins("requirements")} <= tests
