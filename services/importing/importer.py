"""Import order documents: one JSON object per line, all of a file or nothing of it.

A file is read and checked to its end first, into a temporary file. Only then are its orders locked, all of them and by
rising ID, and merged (services/importing/merging.py), all in one transaction: so nobody waits for a file that is still
being read, two files never wait for each other in a circle, and memory stays flat whatever the size of the file.
Decision 018 says what a newer document changes.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import Connection

from services.importing.document import ParsedOrder, parse_order
from services.importing.locks import ImportLocks, make_stores
from services.importing.merging import Merge, MergeCounts
from services.importing.order_rows import order_rows
from services.importing.spool import Spool
from services.importing.staging_rows import OrderRows

_BATCH_ORDERS: Final = 2_000
_BATCH_BYTES: Final = 16 * 1024 * 1024
_MOST_UNKNOWN_KEYS: Final = 1_000


@dataclass(slots=True)
class ImportResult(MergeCounts):
    """The numbers of orders that a file changed, and its unknown keys.

    `unknown_keys` maps a path such as `items[].colour` to (number of lines that have it, the first of them).
    """

    unknown_keys: dict[str, tuple[int, int]] = field(default_factory=dict)


def import_orders(
    connection: Connection,
    lines: Iterable[tuple[int, bytes]],
    *,
    progress: Callable[[int], object] = lambda size: None,
) -> ImportResult:
    """Merge order documents into the tables.

    `lines` are numbered, as `iter_lines` reads them; `progress` is called with the number of bytes of each line.
    A document that is the same as the last one of its order, or older, changes nothing. A newer one replaces what the
    shop has said of the order; what the portal has recorded (refund requests, notes, deleted codes, erased people)
    stays. `connection` is a transaction of the jobs' role. On `ImportLineError` or `RefusedByDatabase`, the caller's
    rollback leaves nothing of the file but new stores: they are made in a transaction of their own, so that no other
    import waits for them.
    """
    result = ImportResult()
    cursor = _cursor(connection)
    locks = ImportLocks(cursor)
    with Spool() as spool:
        for batch, size in _batches(lines, result, progress):
            locks.note(batch)
            spool.put(batch, size)
        merge = Merge(connection, cursor, make_stores(connection, locks.stores), result)
        locks.take()
        for batch in spool.batches():
            merge.run(batch)
        locks.release()
    return result


def import_order(connection: Connection, line: bytes) -> ImportResult:
    """Merge a single document, as `import_orders` does.

    It waits only for its own order and for the other orders of its subscriptions. Errors name line 1.
    """
    return import_orders(connection, [(1, line)])


def _batches(
    lines: Iterable[tuple[int, bytes]], result: ImportResult, progress: Callable[[int], object]
) -> Iterator[tuple[list[OrderRows], int]]:
    """Batches of rows of different orders, each with the bytes of its lines."""
    batch: dict[int, OrderRows] = {}
    size = 0
    for number, line in lines:
        parsed = parse_order(line, number)
        _note_unknown(result, parsed, number)
        if parsed.order.order_id in batch or len(batch) >= _BATCH_ORDERS or size > _BATCH_BYTES:
            yield list(batch.values()), size
            batch, size = {}, 0
        batch[parsed.order.order_id] = order_rows(parsed, number)
        size += len(line)
        progress(len(line))
    if batch:
        yield list(batch.values()), size


def _note_unknown(result: ImportResult, parsed: ParsedOrder, number: int) -> None:
    for path in {re.sub(r"\[\d+\]", "[]", warning) for warning in parsed.warnings}:
        count, first = result.unknown_keys.get(path, (0, number))
        # An attacker's file may have a new key on every line.
        if count or len(result.unknown_keys) < _MOST_UNKNOWN_KEYS:
            result.unknown_keys[path] = (count + 1, first)


def _cursor(connection: Connection) -> psycopg.Cursor[TupleRow]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - what the engine was made with
    return driver.cursor()
