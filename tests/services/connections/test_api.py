"""The schema `api`: what a shop's own database role may do here, and that it may do nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db.connections.roles import WRITER_ROLE, libpq_url
from services.delivery.incoming import apply_incoming
from tests.services.connections.support import connect, inbox, states
from tests.support.factories import Document, document, run

pytestmark = pytest.mark.usefixtures("nothing_yet")
ALLOWED = {"api.put_order(jsonb)", "api.ack(uuid)"}


@pytest.fixture
def writer(database: str) -> Iterator[psycopg.Connection]:
    """A connection as the role alone, as a member of it has no more."""
    with psycopg.connect(libpq_url(database), autocommit=True) as connection:
        # From PostgreSQL 16 on, its creator has to be let in.
        connection.execute(f"GRANT {WRITER_ROLE} TO CURRENT_USER")
        connection.execute(f"SET ROLE {WRITER_ROLE}")
        yield connection


def put(writer: psycopg.Connection, what: object) -> int:
    [number] = writer.execute("SELECT api.put_order(%s)", [Jsonb(what)]).fetchone() or (0,)
    return int(number)


def order(**more: Any) -> Document:
    return document(order_id=7, **more)


def test_an_order_that_is_put_in_is_merged(writer: psycopg.Connection) -> None:
    connect("shop-a")
    number = put(writer, order(total="10.00"))
    put(writer, order(total="10.00", order_name="second"))
    assert inbox("id, connection_id, order_id, state")[0] == (number, None, 7, "waiting")
    assert apply_incoming() == 2
    assert states() == ["applied", "applied"]
    assert run("SELECT order_name, total::text FROM orders") == [("second", "10.00")]


def test_what_the_import_refuses_is_refused_and_shown(writer: psycopg.Connection) -> None:
    connect("shop-a")
    put(writer, order(status="eaten"))
    put(writer, document(order_id=8, items=[]))
    apply_incoming()
    assert inbox("state, field") == [("refused", "data.status"), ("refused", "data.items")]
    assert run("SELECT FROM orders") == []


@pytest.mark.parametrize(
    "what",
    [
        None,
        [],
        5,
        {},
        {"order_id": 0, "checkout_page": "shop-a"},
        {"order_id": 1.5, "checkout_page": "shop-a"},
        {"order_id": 2**63, "checkout_page": "shop-a"},
        {"order_id": "7", "checkout_page": "shop-a"},
        {"order_id": 7},
        {"order_id": 7, "checkout_page": "no such store"},
        {"order_id": 7, "checkout_page": None},
        {"order_id": 7, "checkout_page": "shop-a", "locale": "x" * 1_100_000},
    ],
)
def test_what_is_no_order_document_is_refused_at_once(writer: psycopg.Connection, what: object) -> None:
    connect("shop-a")
    with pytest.raises((psycopg.errors.InvalidParameterValue, psycopg.errors.ProgramLimitExceeded)):
        put(writer, what)
    assert inbox() == []


def test_events_are_read_until_they_are_acknowledged(writer: psycopg.Connection) -> None:
    connect("shop-a")
    put(writer, order())
    apply_incoming()
    for number in (1, 2):
        run(
            "INSERT INTO outbox_event (id, type, action_id, order_id, checkout_page_id, data) "
            "SELECT gen_random_uuid(), 'refund.completed', gen_random_uuid(), order_id, checkout_page_id, "
            "CAST(:data AS jsonb) FROM orders",
            data=json.dumps({"n": number}),
        )
    rows = writer.execute("SELECT id, type, store, order_id, data FROM api.events").fetchall()
    assert [row[1:] for row in rows] == [
        ("refund.completed", "shop-a", 7, {"n": number}) for number in (1, 2)
    ]
    first = rows[0][0]
    for expected in (True, False):
        assert writer.execute("SELECT api.ack(%s)", [first]).fetchone() == (expected,)
    assert writer.execute("SELECT id FROM api.events").fetchall() == [(rows[1][0],)]


def test_the_role_has_no_right_to_any_table_or_other_function(writer: psycopg.Connection) -> None:
    relations = writer.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
        "AND c.relkind IN ('r', 'p', 'v', 'm', 'S') "
        "AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') "
        "ELSE has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') "
        "OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END"
    ).fetchall()
    assert relations == [("api.events",)]
    functions = writer.execute(
        "SELECT p.oid::regprocedure::text, p.prosecdef FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege(p.oid, 'EXECUTE') "
        "AND p.prorettype <> 'trigger'::regtype "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    ).fetchall()
    powerful = {name for name, has_rights in functions if has_rights}
    assert powerful == ALLOWED
    # What everybody may call computes something of its arguments, and reads no table.
    plain = {name for name, has_rights in functions if not has_rights}
    reading = writer.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p "
        "WHERE p.oid::regprocedure::text = ANY (%s) AND p.provolatile <> 'i'",
        [list(plain)],
    ).fetchall()
    assert reading == []
    role = writer.execute(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s",
        [WRITER_ROLE],
    ).fetchone()
    assert role is not None
    assert not any(role)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM orders",
        "SELECT * FROM inbox",
        "SELECT * FROM outbox_event",
        "SELECT secret FROM connection_secret",
        "INSERT INTO inbox (event_id, type) VALUES ('x', 'x')",
        "INSERT INTO orders (order_id) VALUES (1)",
        "UPDATE api.events SET data = '{}'",
        "DELETE FROM api.events",
        "SELECT become('x', '1 hour')",
        "SELECT erase_spans('[]')",
        "SET ROLE esupport_jobs",
        "SET ROLE esupport_app",
        "CREATE TABLE mine (x int)",
        "CREATE TABLE api.mine (x int)",
        "CREATE TEMP TABLE mine (x int)",
        "CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_role_cannot(writer: psycopg.Connection, database: str, statement: str) -> None:
    with psycopg.connect(libpq_url(database), autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS shop_of_a_test")
        owner.execute(f"CREATE ROLE shop_of_a_test LOGIN PASSWORD 'x' IN ROLE {WRITER_ROLE}")
        try:
            # As the session's own user: what it is a member of is all that it can become.
            address = libpq_url(database)
            with (
                psycopg.connect(address, user="shop_of_a_test", password="x", autocommit=True) as shop,
                # Not even the owner could change what the view shows.
                pytest.raises(
                    (
                        psycopg.errors.InsufficientPrivilege,
                        psycopg.errors.ObjectNotInPrerequisiteState,
                    )
                ),
            ):
                shop.execute(statement)
        finally:
            owner.execute("DROP ROLE shop_of_a_test")
