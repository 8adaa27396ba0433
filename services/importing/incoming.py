"""Merge order documents that arrive one by one, as many as wait, in one transaction.

As an import of a file does it, with two differences. An order that somebody else holds is left for later, and the
others go on. And a document that is refused takes none of the others along.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import Connection, text

from db.errors import SqlState, sqlstate, without_values
from services.errors import SupportError
from services.importing.document import ImportLineError
from services.importing.locks import key_of, make_stores
from services.importing.merging import Fate, Merge, MergeCounts, RefusedByDatabase
from services.importing.staging_rows import OrderRows

log = logging.getLogger("esupport.importing")
_SQL: Final = Path(__file__).resolve().parents[2] / "db" / "statements" / "importing"
# For all orders together, and for each alone when one of them could not be had.
_TOGETHER_MILLISECONDS: Final = 200
_ALONE_MILLISECONDS: Final = 25
_BUSY_STATES: Final = (SqlState.LOCK_NOT_AVAILABLE, SqlState.DEADLOCK_DETECTED)


@dataclass(frozen=True, slots=True)
class MergeFailure:
    """Why a document was not merged. `field` is a path inside it."""

    field: str | None
    reason: str


class Busy:
    """Somebody else is changing the order, or another one of its subscriptions."""


class Broken:
    """An error of the portal, which is in its log."""


Result = Fate | MergeFailure | Busy | Broken


def merge_documents(connection: Connection, documents: Sequence[OrderRows]) -> dict[int, Result]:
    """Merge documents of different orders; return the outcome of each by order ID.

    `connection` is a transaction of the jobs' role. The locks last until its end.
    """
    cursor = _cursor(connection)
    locked = _lock(connection, cursor, documents)
    results: dict[int, Result] = {rows.order_id: Busy() for rows in documents}
    if locked:
        stores = make_stores(connection, {rows.store for rows in locked})
        _merge(connection, cursor, stores, locked, results)
        cursor.execute(_statement("release"), {"keys": _keys(locked)})
    return results


def lock_document(connection: Connection, rows: OrderRows) -> bool:
    """Lock the order of one document and those of its subscriptions; False when another transaction holds one.

    The locks last until the end of the transaction. For callers that read the order before they build its document.
    """
    _wait_at_most(connection, _TOGETHER_MILLISECONDS)
    return _is_locked(connection, _cursor(connection), [rows])


def _cursor(connection: Connection) -> psycopg.Cursor[TupleRow]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - what the engine was made with
    return driver.cursor()


def _lock(
    connection: Connection, cursor: psycopg.Cursor[TupleRow], documents: Sequence[OrderRows]
) -> list[OrderRows]:
    """Those documents whose orders are locked now."""
    _wait_at_most(connection, _TOGETHER_MILLISECONDS)
    if _is_locked(connection, cursor, documents):
        return list(documents)
    if len(documents) == 1:
        return []
    _wait_at_most(connection, _ALONE_MILLISECONDS)
    locked = [rows for rows in documents if _is_locked(connection, cursor, [rows])]
    _wait_at_most(connection, _TOGETHER_MILLISECONDS)
    return locked


def _wait_at_most(connection: Connection, milliseconds: int) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = '{milliseconds}ms'"))


def _is_locked(
    connection: Connection, cursor: psycopg.Cursor[TupleRow], documents: Sequence[OrderRows]
) -> bool:
    subscriptions = [(rows.store, key) for rows in documents for key in rows.subscription_ids()]
    parameters = {
        "keys": _keys(documents),
        "order_ids": [rows.order_id for rows in documents],
        "stores": [store for store, _ in subscriptions],
        "subscription_ids": [key for _, key in subscriptions],
    }
    try:
        with connection.begin_nested():
            cursor.execute(_statement("claims"), parameters)
            cursor.execute(_statement("orders"), parameters)
    except psycopg.Error as error:
        if error.sqlstate not in _BUSY_STATES:
            raise
        return False
    return True


def _keys(documents: Iterable[OrderRows]) -> list[int]:
    keys = {rows.order_id for rows in documents}
    keys.update(key_of(subscription) for rows in documents for subscription in rows.subscription_ids())
    return sorted(keys)


def _merge(
    connection: Connection,
    cursor: psycopg.Cursor[TupleRow],
    stores: dict[str, int],
    documents: list[OrderRows],
    results: dict[int, Result],
) -> None:
    """All of them, or each half by itself when one is refused."""
    counts = MergeCounts(fates={})
    try:
        with connection.begin_nested():
            Merge(connection, cursor, stores, counts).run(documents)
    except Exception as error:
        if cursor.connection.closed:
            raise
        if len(documents) == 1:
            results[documents[0].order_id] = _result_of(error)
            return
        middle = len(documents) // 2
        for half in (documents[:middle], documents[middle:]):
            _merge(connection, cursor, stores, half, results)
    else:
        results.update(counts.fates or {})


def _result_of(error: Exception) -> Result:
    if isinstance(error, ImportLineError):
        return MergeFailure(error.field, error.reason)
    if isinstance(error, RefusedByDatabase):
        return MergeFailure(None, error.reason)
    if isinstance(error, SupportError):
        return MergeFailure(None, str(error))
    if sqlstate(error) in _BUSY_STATES:
        return Busy()
    log.error("A document could not be merged: %s", without_values(error))
    return Broken()


@cache
def _statement(name: str) -> str:
    """One part of import_incoming_locks.sql: what follows the line `-- name: …`."""
    content = (_SQL / "import_incoming_locks.sql").read_text(encoding="utf-8")
    return dict(part.split("\n", 1) for part in content.split("-- name: ")[1:])[name]
