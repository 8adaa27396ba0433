"""The words of the audit log: one enum, the same words in the database, and each word is written somewhere."""

import re
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from db.schema.audit_actions import AuditAction
from tests.support.factories import run

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("table", ["audit_log", "action_key"])
def test_the_database_knows_exactly_these_words(database: str, table: str) -> None:
    [[definition, is_valid]] = run(
        "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conname = :name",
        name=f"{table}_action_known",
    )
    assert set(re.findall(r"'([^']+)'", definition)) == set(AuditAction)
    assert is_valid


def test_another_word_is_refused(database: str) -> None:
    with pytest.raises(IntegrityError, match="audit_log_action_known"):
        run("INSERT INTO audit_log (action) VALUES ('request_refund')")


def test_every_word_is_written_by_a_service_or_by_a_function_of_the_database() -> None:
    services = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "services").rglob("*.py"))
    routes = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pages").rglob("*.py"))
    sql = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "db" / "migrations" / "sql").glob("*.sql")
    )
    unused = {
        action.name
        for action in AuditAction
        if f"AuditAction.{action.name}" not in services + routes and f"'{action.value}'" not in sql
    }
    assert unused == set()


def test_no_service_and_no_page_writes_a_word_of_its_own() -> None:
    """A word in quotation marks beside its enum would be free to differ from it."""
    actions = "|".join(re.escape(action.value) for action in AuditAction if " " in action.value)
    spelt = re.compile(rf"""(?:record|record_refusal|values)\([^)]*["'](?:{actions})["']""")
    modules = {
        str(path.relative_to(ROOT))
        for folder in ("services", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if spelt.search(path.read_text(encoding="utf-8"))
    }
    assert modules == set()
