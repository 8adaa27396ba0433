"""The README names only what exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_variable_in_the_readme_is_read_by_the_code() -> None:
    named = set(re.findall(r"`((?:ESUPPORT_|DATABASE_|SMTP_|MAIL_|OIDC_)[A-Z_]+|PORT)`", README))
    code = (ROOT / "db" / "settings.py").read_text(encoding="utf-8")
    assert named >= {"DATABASE_URL", "PORT"}
    assert {name for name in named if f'"{name}"' not in code} == set()


def test_every_variable_of_the_code_is_in_the_readme() -> None:
    code = (ROOT / "db" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:ESUPPORT|DATABASE|SMTP|MAIL|OIDC)_[A-Z_]+)"', code)) | {"PORT"}
    assert {name for name in read if f"`{name}`" not in README} == set()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"python -m db ([a-z]+)", README))))
def test_every_command_in_the_readme_exists(command: str) -> None:
    from db.__main__ import parser

    commands = next(a for a in parser()._actions if a.choices and "migrate" in a.choices).choices
    assert command in commands


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`|=\d )make ([a-z]+)", README, re.M))))
def test_every_make_target_in_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_every_file_in_the_readme_exists() -> None:
    paths = set(re.findall(r"`((?:db|docs|pages|services|tests)/[\w./-]*)`", README)) | set(
        re.findall(r"\]\((docs/[^)]+)\)", README)
    )
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_test_that_the_security_table_names_exists() -> None:
    table = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    quoted = [text for text in re.findall(r"`([^`\n]+)`", table) if re.search(r"\btest_\w+", text)]
    named = {re.fullmatch(r"((?:[a-z]+/)*test_\w+\.py)::(test_\w+)", text) or text for text in quoted}
    assert [text for text in named if isinstance(text, str)] == [], "a file and a test each"
    pairs = {found.groups() for found in named if isinstance(found, re.Match)}
    assert len(pairs) > 150
    missing = {
        (file, name)
        for file, name in pairs
        if not (ROOT / "tests" / file).is_file()
        or not re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.M)
    }
    assert missing == set()
