"""THIRD-PARTY-NOTICES.md lists every direct requirement with the licence that the installed package states.

`.venv/bin/python -m tests.system.test_notices` writes the table anew.
"""

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.md"
_HEAD = "| package | licence |\n|---|---|\n"


def direct_requirements() -> list[str]:
    """The packages that the portal itself asks for, without what those pull in."""
    chosen = ROOT / "requirements.in"
    lines = (
        (chosen if chosen.exists() else ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    )
    return [
        match[1]
        for line in lines
        if (match := re.match(r"([A-Za-z][\w.-]*)(?:\[[\w,]+\])?\s*(?:[=<>~!]=|$|#)", line))
    ]


def licence_of(package: str) -> str:
    """As the package states it: an SPDX expression, its own words, or its classifier."""
    stated = metadata(package)
    for field in ("License-Expression", "License"):
        if field in stated:
            return stated[field].strip().splitlines()[0]
    classifiers = [c for c in stated.get_all("Classifier") or [] if c.startswith("License ::")]
    return classifiers[0].rsplit(":: ", 1)[1] if classifiers else "not stated"


def table() -> list[str]:
    return [f"| {name} | {licence_of(name)} |" for name in sorted(direct_requirements(), key=str.lower)]


def test_every_direct_requirement_is_listed_with_its_licence() -> None:
    listed = NOTICES.read_text(encoding="utf-8").split(_HEAD)[1].split()
    assert len(table()) > 20
    assert listed == "\n".join(table()).split()


def test_the_licences_of_what_the_project_contains_are_in_it() -> None:
    notices = NOTICES.read_text(encoding="utf-8")
    for path in ("services/pdf/fonts/LICENSE.txt", "services/authentication/common_passwords.txt"):
        assert f"`{path}`" in notices
        assert (ROOT / path).is_file()
    assert "not stated" not in notices


if __name__ == "__main__":
    prose = NOTICES.read_text(encoding="utf-8").split(_HEAD)[0]
    NOTICES.write_text(prose + _HEAD + "\n".join(table()) + "\n", encoding="utf-8")
