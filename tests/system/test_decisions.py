"""Every decision has the one form, and the index lists all of them."""

import re
from pathlib import Path

import pytest

from tests.support.documentation import DOCS, ROOT, each, text_of

DECISIONS = [path for path in DOCS if path.parent.name == "decisions" and path.name != "README.md"]


def decisions_index() -> list[tuple[str, ...]]:
    rows = re.findall(
        r"^\| \[(\d{3})\]\((\S+)\) \| (.+?) \| (\S+) \| (.+?) \|$",
        text_of(ROOT / "docs" / "decisions" / "README.md"),
        re.M,
    )
    return [tuple(row) for row in rows]


def test_the_index_of_decisions_is_complete() -> None:
    expected = []
    for path in DECISIONS:
        lines = text_of(path).splitlines()
        number, title = lines[0].removeprefix("# ").split(": ", 1)
        date, status = (line.split(": ", 1)[1] for line in lines[2:4])
        expected.append((number, path.name, title, date, re.sub(r"\[(\d{3})\]\(\S+?\)", r"\1", status)))
    assert decisions_index() == expected


@pytest.mark.parametrize("decision", DECISIONS, ids=each)
def test_every_decision_has_the_one_form(decision: Path) -> None:
    lines = text_of(decision).splitlines()
    assert re.fullmatch(rf"# {decision.name[:3]}: [A-Z].+[^.]", lines[0])
    assert re.fullmatch(r"- Date: \d{4}-\d\d-\d\d", lines[2])
    link = r"\[\d{3}\]\(\d{3}-[a-z0-9-]+\.md\)"
    others = rf"{link}(?:, {link})*"
    assert re.fullmatch(
        rf"- Status: (?:accepted|accepted, amended by {others}|superseded by {link})", lines[3]
    )
    sections = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert sections[:3] == ["Context", "Decision", "Consequences"]
    assert sections[3:] in ([], ["Refused alternatives"])
