"""The locks of an import and their order, so that it waits for nothing but its own orders.

First its claims: a row of `import_claim` for each order and each subscription of the file, by rising key. They keep two
imports of the same order apart even before the order exists, and two imports of one subscription, whose
members have to agree. Then the orders that exist, by rising ID as everybody locks them, and with them the other orders
of the file's subscriptions. An import that has all its claims never waits for another claim, and nothing but an import
has any: so neither two imports nor an import and an action can wait for each other in a circle.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import Connection, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.exc import OperationalError

from db.connections.roles import JOBS_ROLE
from db.schema.order_tables import checkout_page
from services.importing.staging_rows import OrderRows

_STATEMENTS: Final = (
    Path(__file__).resolve().parents[2] / "db" / "statements" / "importing" / "import_locks.sql"
)


class ImportLocks:
    """The locks of one import. `cursor` is in its transaction; `note` first, for every order, then `take`."""

    def __init__(self, cursor: psycopg.Cursor[TupleRow]) -> None:
        self._cursor = cursor
        self.stores: set[str] = set()
        cursor.execute(_statement("keys"))

    def note(self, documents: Iterable[OrderRows]) -> None:
        with self._cursor.copy("COPY import_key (key, store, subscription_id) FROM STDIN") as copy:
            for rows in documents:
                self.stores.add(rows.store)
                copy.write_row((rows.order_id, None, None))
                for subscription_id in rows.subscription_ids():
                    copy.write_row((key_of(subscription_id), rows.store, subscription_id))

    def take(self) -> None:
        """Wait until nothing else works on any of these orders. The locks last as long as the transaction."""
        self._cursor.execute(_statement("claims"))
        self._cursor.execute(_statement("orders"))

    def release(self) -> None:
        """Delete the claims: they need to exist only during the transaction."""
        self._cursor.execute(_statement("release"))


def make_stores(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The IDs of the stores with these names; new stores are created.

    They are committed at once, on a connection of their own, so that another import with the same new store does not
    wait for the end of this one.
    """
    store_names = sorted(names)
    store_ids = _find_stores(connection, store_names)
    missing = [{"name": name} for name in store_names if name not in store_ids]
    if not missing:
        return store_ids
    statement = insert(checkout_page).on_conflict_do_nothing(index_elements=["name"])
    # Another transaction, even the caller's own, may be making the same store and last long; then we wait below, where
    # the database detects deadlocks.
    with suppress(OperationalError), connection.engine.begin() as other:
        other.execute(text(f"SET LOCAL ROLE {JOBS_ROLE}"))
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        other.execute(statement, missing)
    connection.execute(statement, missing)
    return _find_stores(connection, store_names)


def _find_stores(connection: Connection, names: list[str]) -> dict[str, int]:
    statement = select(checkout_page.c.name, checkout_page.c.id).where(
        checkout_page.c.name == any_(literal(names, ARRAY(TEXT)))
    )
    return {row.name: row.id for row in connection.execute(statement)}


def key_of(subscription_id: str) -> int:
    """A negative number; two subscriptions with the same one merely wait for each other."""
    digest = blake2b(subscription_id.encode(), digest_size=8).digest()
    return -(int.from_bytes(digest) >> 1) - 1


@cache
def _statement(name: str) -> str:
    """One part of import_locks.sql: what follows the line `-- name: …`."""
    parts = _STATEMENTS.read_text(encoding="utf-8").split("-- name: ")[1:]
    return dict(part.split("\n", 1) for part in parts)[name]
