"""Row-level security under the app's own role, over every table of the catalogue."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from db.connections.engine import anonymous_transaction, app_engine, viewer_transaction
from db.connections.roles import app_url, libpq_url
from db.connections.viewers import SignedIn
from tests.db.schema.rows_of_connections import make_connections
from tests.db.schema.rows_of_people import make_own_rows, make_texts
from tests.support import factories

# Tables that every signed-in account may read, and tables that only administrators may.
# How many rows everybody reads.
SHARED = {"mail_server": 1, "payment_method": 1, "role_rule": 4, "refund_reason": 10}
CLOSED = {
    "import_claim",
    "known_value",
    "audit_log",
    "portal_secret",
    "alembic_version",
    "mail",
    "mail_handover",
    "password_reset",
    "recovery_code",
    "single_sign_on_use",
    "sign_in_attempt",
    "known_device",
    "single_sign_on_identity",
    "connection_secret",
    "inbox",
}


def make_orders() -> None:
    """An order of each store, with everything that belongs to one."""
    subscription = {"id": "S1", "type": "AR", "status": "active"}
    for store in ("shop-a", "shop-b"):
        factories.take_in(
            factories.document(
                checkout_page=store,
                items=[
                    factories.item(activation_codes=[{"code": f"CODE-{store}"}], subscription=subscription)
                ],
                history=[
                    {"date": "2026-03-01T10:00:00+00:00", "kind": "email", "text": f"sent from {store}"}
                ],
                documents=[{"name": f"{store}.pdf", "kind": "payment", "content_base64": "JVBERg=="}],
                related_orders=[{"order_id": 77, "relation": "typo"}],
            )
        )


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, SignedIn]:
    make_orders()
    people = {
        "anna": factories.account("anna", stores=["shop-a"]),
        "boris": factories.account("boris", stores=["shop-b"]),
        "disabled": factories.account("disabled", stores=["shop-a", "shop-b"]),
        "admin": factories.account("admin", role="administrator"),
    }
    factories.run("UPDATE account SET disabled_at = now() WHERE name = 'disabled'")
    factories.run(
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
        "SELECT order_id, checkout_page_id, 'r', 'n', 'e' FROM orders"
    )
    factories.run(
        "INSERT INTO refund_request_item SELECT r.id, r.order_id, 1, r.checkout_page_id FROM refund_request r"
    )
    factories.run(
        "INSERT INTO subscription_event (checkout_page_id, subscription_id, action, from_status, to_status, order_id, "
        "changed_by) SELECT checkout_page_id, 'S1', 'cancel', 'active', 'cancelled', order_id, 'x' FROM orders"
    )
    factories.run(
        "INSERT INTO mail (message_id, kind, subject, text_body, order_id, checkout_page_id) "
        "SELECT order_id::text, 'licence', 's', 't', order_id, checkout_page_id FROM orders"
    )
    make_texts()
    make_connections()
    factories.run("INSERT INTO payment_method (name) VALUES ('Card')")
    factories.run("INSERT INTO mail_server (address) VALUES ('mail.example.com:25')")
    factories.run("INSERT INTO team (name) VALUES ('A'), ('B')")
    factories.run(
        "INSERT INTO team_member SELECT t.id, a.id FROM team t JOIN account a ON lower(t.name) = left(a.name, 1)"
    )
    factories.run(
        "INSERT INTO team_page SELECT t.id, p.id FROM team t JOIN checkout_page p ON p.name = 'shop-' || lower(t.name)"
    )
    for name in ("anna", "boris"):
        make_own_rows(people[name], name)
    return people


def tables() -> list[str]:
    with app_engine().begin() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                    "AND relkind IN ('r', 'p', 'v', 'm')"
                )
            ).scalars()
        )


def readable_columns(table: str) -> str:
    """The columns of a table that the app's role may read, as a list for SELECT; empty when there is none."""
    with app_engine().begin() as connection:
        columns = connection.execute(
            text(
                "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 "
                "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')"
            ),
            {"name": table},
        ).scalars()
        return ", ".join(columns)


def select_all(connection: Connection, table: str) -> list[Any]:
    columns = readable_columns(table)
    return list(connection.execute(text(f"SELECT {columns} FROM {table}"))) if columns else []


def test_every_table_has_row_level_security_and_another_owner(people: dict[str, SignedIn]) -> None:
    with app_engine().begin() as connection:
        unprotected = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                "AND (NOT relrowsecurity OR pg_get_userbyid(relowner) = current_user)"
            )
        ).scalars()
        assert list(unprotected) == []
        role = connection.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
        ).one()
        assert not any(role)
    assert len(tables()) > 20


def test_without_a_viewer_every_table_is_empty(people: dict[str, SignedIn]) -> None:
    with anonymous_transaction() as connection:
        assert {table: rows for table in tables() if (rows := select_all(connection, table))} == {}


def test_a_disabled_account_reads_nothing(people: dict[str, SignedIn]) -> None:
    with viewer_transaction(people["disabled"]) as connection:
        assert {table: rows for table in tables() if (rows := select_all(connection, table))} == {}


def test_anna_reads_her_stores_and_her_own_and_nothing_else_in_any_table(people: dict[str, SignedIn]) -> None:
    with viewer_transaction(people["anna"]) as connection:
        for table in tables():
            rows = select_all(connection, table)
            if table in CLOSED:
                assert rows == [], table
            elif table in SHARED:
                assert len(rows) == SHARED[table], table
            else:
                # One row of Anna's in each, none of Boris's.
                assert len(rows) == 1, (table, rows)
                assert "shop-b" not in repr(rows) and "boris" not in repr(rows)


def test_an_administrator_reads_all_orders_and_no_password(people: dict[str, SignedIn]) -> None:
    with viewer_transaction(people["admin"]) as connection:
        assert len(select_all(connection, "orders")) == 2
        assert len(select_all(connection, "account")) == 4
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT password_hash FROM account"))


STATEMENTS = (
    "UPDATE orders SET total = 0",
    "UPDATE orders SET checkout_page_id = 1",
    "DELETE FROM orders",
    "DELETE FROM order_history",
    "UPDATE order_history SET text = 'x'",
    "UPDATE subscription_event SET reason = 'x'",
    "UPDATE refund_request SET reason = 'x'",
    "UPDATE order_document SET name = 'x'",
    "INSERT INTO mail_handover (mail_id) VALUES (1)",
    "INSERT INTO checkout_page (name) VALUES ('mine')",
    "UPDATE account SET email = 'x@example.com'",
    "DELETE FROM account",
    "SELECT * FROM password_reset",
    "INSERT INTO account_page SELECT 1, 1",
    "INSERT INTO team_page SELECT 1, 1",
    "UPDATE audit_log SET action = 'x'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "INSERT INTO audit_log (account_id, action) VALUES (NULL, 'sign in')",
    "SELECT value FROM portal_secret",
    "SELECT totp_secret FROM account",
    "SELECT password_hash FROM account",
    "SELECT * FROM sign_in_attempt",
    "SELECT subject FROM single_sign_on_identity",
    "DELETE FROM single_sign_on_identity WHERE subject = 'x'",
    "UPDATE account SET credentials_version = 1",
    "INSERT INTO account_session (token_digest, account_id, expires_at) VALUES ('x', 1, now())",
    "SELECT viewer_mark('1 1 stands')",
    "SELECT proven_viewer()",
    "SELECT standing_attempt(gen_random_uuid())",
    "SELECT count_failure(1, NULL)",
    "SELECT second_factor_of(gen_random_uuid())",
    "SELECT judge_code(gen_random_uuid(), 1, 'x', NULL)",
    "SELECT begin_provider_attempt(1, 'i', 's', true, 'n', NULL, NULL)",
    "SELECT * FROM recovery_code",
    "SELECT secret FROM connection_secret",
    "INSERT INTO inbox (event_id, type, body) VALUES ('m', 'order.upserted', '{}')",
    "UPDATE connection SET key = 'c_0000000000000000000000'",
    "UPDATE connection_secret SET secret = 'x'",
    "DELETE FROM connection_secret",
    "INSERT INTO connection_secret (connection_id, purpose, secret) VALUES (1, 'in', 'x')",
    "UPDATE outbox_event SET data = '{}'",
    "UPDATE awaited_action SET state = 'confirmed'",
    "INSERT INTO refund_reservation VALUES (gen_random_uuid(), 1, now(), 'EUR', 1)",
    "DELETE FROM refund_reservation",
    "DELETE FROM delivery",
    "SET ROLE esupport_jobs",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
    "CREATE TABLE mine (x int)",
    "CREATE TEMP TABLE mine (x int)",
    "CREATE TEMP VIEW mine AS SELECT 1",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lo_get(1)",
    "SELECT lo_open(1, 131072)",
    "SELECT lowrite(0, 'x')",
    "SELECT lo_import('/etc/passwd')",
    "COPY orders TO PROGRAM 'cat'",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_apps_role_cannot(statement: str, people: dict[str, SignedIn]) -> None:
    with factories.refused_by_the_database(), viewer_transaction(people["anna"]) as connection:
        connection.execute(text(statement))


def test_the_audit_log_cannot_be_changed_even_by_the_jobs(people: dict[str, SignedIn]) -> None:
    factories.run("INSERT INTO audit_log (action) VALUES ('sign in')")
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(ProgrammingError):
            factories.run(statement)
    assert factories.run("SELECT action FROM audit_log WHERE action = 'sign in'")


@pytest.fixture
def direct(people: dict[str, SignedIn], database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(app_url(database))) as connection:
        yield connection


def test_the_scope_ends_with_the_transaction(direct: psycopg.Connection, people: dict[str, SignedIn]) -> None:
    direct.execute("SELECT become(%s, '30 minutes')", [people["anna"].token])
    assert direct.execute("SELECT count(*) FROM orders").fetchone() == (1,)
    direct.commit()
    assert direct.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_functions_past_row_level_security_return_nothing_foreign(
    direct: psycopg.Connection, people: dict[str, SignedIn]
) -> None:
    direct.execute("SELECT become(%s, '30 minutes')", [people["anna"].token])
    assert direct.execute("SELECT count(*) FROM orders_with_code('code-shop', 9)").fetchone() == (1,)
    direct.commit()
    assert direct.execute("SELECT count(*) FROM orders_with_code('code-shop', 9)").fetchone() == (0,)
    assert direct.execute("SELECT open_saved_search('key-of-anna-0')").fetchone() == (None,)
