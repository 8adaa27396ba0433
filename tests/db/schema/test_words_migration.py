"""A database whose rows hold words that this version does not know: it migrates, and the rows stay usable."""

from collections.abc import Iterator

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.schema.migrate import migrate
from tests.db.schema.old_databases import old_database

CONSTRAINTS = ("audit_log_action_known", "action_key_action_known", "mail_kind_known")
ROWS = """
    INSERT INTO account (email, name, role, password_hash) VALUES ('a@x.example', 'Anna', 'analyst', 'x');
    INSERT INTO audit_log (action, details) VALUES ('{action}', '{{"email": "ines@x.example"}}'), ('sign in', '{{}}');
    INSERT INTO action_key (key, account_id, action, answer)
        SELECT gen_random_uuid(), id, '{action}', 'Ines' FROM account;
    INSERT INTO mail (message_id, kind, to_address, subject, text_body) VALUES ('<1@x>', '{kind}', 'a@x', 's', 't');
"""


@pytest.fixture
def before(server_url: str) -> Iterator[str]:
    """A database that allows any word in these columns."""
    with old_database(server_url, "0019") as url:
        yield url


@pytest.mark.parametrize(("action", "kind"), [("an older word''s", "an older kind"), ("sign in", "licence")])
def test_rows_with_any_words_stay_and_can_be_changed(before: str, action: str, kind: str) -> None:
    with psycopg.connect(libpq_url(before)) as connection:
        connection.execute(ROWS.format(action=action, kind=kind))
    migrate(before)
    with psycopg.connect(libpq_url(before)) as connection:
        valid = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conname = ANY (%s) AND convalidated", [list(CONSTRAINTS)]
        )
        assert {row[0] for row in valid} == set(CONSTRAINTS)
        # As a deletion of the person does.
        connection.execute("SET LOCAL esupport.erasing = 'on'")
        for change in (
            "UPDATE audit_log SET details = '{}'",
            "UPDATE action_key SET answer = 'deleted'",
            "UPDATE mail SET text_body = 'deleted'",
        ):
            assert connection.execute(change).rowcount >= 1
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO audit_log (action) VALUES ('an unknown word')")
