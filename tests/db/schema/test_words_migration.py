"""A database whose older rows hold words that this version does not know: it migrates, and those rows stay usable."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from db.connections import roles
from db.connections.roles import libpq_url
from db.schema.migrate import alembic_config, migrate
from tests.support.databases import create_database, drop_database

CONSTRAINTS = ("audit_log_action_known", "action_key_action_known", "mail_kind_known")
ROWS = """
    INSERT INTO account (email, name, role, password_hash) VALUES ('a@x.example', 'Anna', 'analyst', 'x');
    INSERT INTO audit_log (action, details) VALUES ('{action}', '{{"email": "ines@x.example"}}'), ('sign in', '{{}}');
    INSERT INTO action_key (key, account_id, action, answer)
        SELECT gen_random_uuid(), id, '{action}', 'Ines' FROM account;
    INSERT INTO mail (message_id, kind, to_address, subject, text_body) VALUES ('<1@x>', '{kind}', 'a@x', 's', 't');
"""


@pytest.fixture
def old_database(server_url: str) -> Iterator[str]:
    """A database as it was before its words were named."""
    name = f"esupport_old_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name)
    roles.ensure_app_role(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0019")
    engine.dispose()
    yield url
    drop_database(server_url, name)


@pytest.mark.parametrize(("action", "kind"), [("an older word''s", "an older kind"), ("sign in", "licence")])
def test_rows_with_any_words_stay_and_can_be_changed(old_database: str, action: str, kind: str) -> None:
    with psycopg.connect(libpq_url(old_database)) as connection:
        connection.execute(ROWS.format(action=action, kind=kind))
    migrate(old_database)
    with psycopg.connect(libpq_url(old_database)) as connection:
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
            connection.execute("INSERT INTO audit_log (action) VALUES ('a word of nobody')")
