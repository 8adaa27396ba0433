"""Many orders, made quickly inside the database from their numbers, and therefore the same every time.

Five stores of very different size; times over 400 days, more at the end and at noon; few customers with many orders;
subscriptions with parents and children, codes, documents, refunds, histories. The statements are in bench/sql.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from db.connections import engine
from db.connections.roles import libpq_url
from db.connections.viewers import SignedIn, sign_in_without_password

STORES = tuple(f"bench-{number}" for number in range(1, 6))
# The account whose searches are timed: a specialist of the three largest stores, which have 97 of 100 orders.
SPECIALIST = "specialist@bench.example"
SEEN = STORES[:3]
_TABLES = [
    "orders",
    "order_item",
    "activation_code",
    "subscription",
    "order_document",
    "order_history",
    "order_relation",
    "refund_request",
]
_BATCH = 100_000
_SQL = Path(__file__).parent / "sql"


def fill(number: int) -> SignedIn:
    """Make `number` orders in an empty database; return the specialist, signed in."""
    with psycopg.connect(libpq_url(engine.owner_url()), autocommit=True) as connection:
        for store in STORES:
            connection.execute("INSERT INTO checkout_page (name) VALUES (%s)", [store])
        account_id = make_account(connection, SPECIALIST)
        connection.execute((_SQL / "words.sql").read_bytes())
        batch = (_SQL / "batch.sql").read_bytes()
        with _in_bulk(connection):
            for first in range(1, number + 1, _BATCH):
                last = min(first + _BATCH - 1, number)
                with connection.transaction():
                    connection.execute(
                        f"CREATE TEMP TABLE span ON COMMIT DROP AS SELECT {first}::bigint AS first, "
                        f"{last}::bigint AS last, {number}::bigint AS total"
                    )
                    connection.execute(batch)
        connection.execute("VACUUM ANALYZE")
    return signed_in(account_id)


def signed_in(account_id: int) -> SignedIn:
    """The account in a new session, which ends after half an hour without use."""
    with engine.jobs_transaction() as connection:
        return sign_in_without_password(connection, account_id)


def make_account(connection: psycopg.Connection, email: str) -> int:
    """Make an account with the stores of the specialist and no usable password; return its id."""
    row = connection.execute(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) "
        "VALUES (%s, 'Bench', 'specialist', '-', false) RETURNING id",
        [email],
    ).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO account_page SELECT %s, id FROM checkout_page WHERE name = ANY (%s)",
        [row[0], list(SEEN)],
    )
    return int(row[0])


@contextmanager
def _in_bulk(connection: psycopg.Connection) -> Iterator[None]:
    """Leave out, during the block, the work that would be repeated for every row.

    That is the triggers for summaries, which the orders come with, and the indexes for searching.
    """
    names = [
        row[0]
        for row in connection.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").fetchall()
    ]
    assert names, "The triggers of the portal are missing."
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i "
        "WHERE indrelid = ANY (%s::regclass[]) AND NOT indisunique",
        [_TABLES],
    ).fetchall()
    # A superuser can leave out the checks of foreign keys as well: the statements make no row that breaks one.
    superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    bulk, usual = ["SET maintenance_work_mem = '256MB'"], []
    if superuser and superuser[0]:
        bulk.append("SET session_replication_role = replica")
        usual.append("RESET session_replication_role")
    else:
        bulk += [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in _TABLES]
        usual += [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in _TABLES]
    bulk += [f"DROP INDEX {name}" for name, _ in indexes]
    usual += [definition for _, definition in indexes]
    for statement in bulk:
        connection.execute(statement)
    yield
    for statement in usual:
        connection.execute(statement)
