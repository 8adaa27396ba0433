"""Importing order documents: one JSON a line, all of a file or nothing of it.

A file is read and checked to its end first, into a temporary file. Only then are its orders locked, all of them and by
rising ID, and merged in batches of a few statements each, all in one transaction: so nobody waits for a file that is
still being read, two files never wait for each other in a circle, and memory stays flat whatever the size of the file.
COPY fills temporary tables, because PostgreSQL refuses COPY into tables with row-level security; from there everything
goes through the constraints of the real tables. Decision 018 tells what of all that counts as the newer word.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Connection

from services.errors import InvalidInput
from services.importing.document import ImportLineError, ParsedOrder, parse_order
from services.importing.erased_persons import keep_erased
from services.importing.fields import WrongField
from services.importing.item_matching import StoredLine, match_lines
from services.importing.locks import ImportLocks, make_stores
from services.importing.spool import Spool
from services.importing.staging_rows import COLUMNS, Batch, OrderRows, order_rows

_BATCH_ORDERS: Final = 2_000
_BATCH_BYTES: Final = 16 * 1024 * 1024
_SQL: Final = Path(__file__).resolve().parents[2] / "db" / "statements" / "importing"


@dataclass(slots=True)
class ImportResult:
    """How many orders a file changed. `unknown_keys` maps a path such as `items[].colour` to
    (lines that have it, the first of them)."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    unknown_keys: dict[str, tuple[int, int]] = field(default_factory=dict)


class RefusedByDatabase(InvalidInput):
    """A document passed every check here, and still broke a constraint of the tables."""


def import_orders(
    connection: Connection,
    lines: Iterable[tuple[int, bytes]],
    *,
    progress: Callable[[int], object] = lambda size: None,
) -> ImportResult:
    """Merge order documents, numbered lines as `iter_lines` reads them, into the tables; `progress` is told the
    bytes of each line that was read.

    A document that is the same as the last one read for its order, or older than it, changes nothing. A newer one
    replaces what the shop has said of the order; what the portal has recorded (refund requests, notes, deleted
    codes, erased people) stays. `connection` is a transaction of the jobs' role; on `ImportLineError`, or on
    `RefusedByDatabase`, the caller's rolling back leaves nothing of the file but stores that nobody had seen before:
    they are made in a transaction of their own, so that no other import waits for them.
    """
    result = ImportResult()
    cursor = _cursor(connection)
    locks = ImportLocks(cursor)
    with Spool() as spool:
        for batch, size in _batches(lines, result, progress):
            locks.note(batch)
            spool.put(batch, size)
        merge = _Merge(connection, cursor, make_stores(connection, locks.stores), result)
        locks.take()
        for batch in spool.batches():
            merge.run(batch)
        locks.release()
    return result


def import_order(connection: Connection, line: bytes) -> ImportResult:
    """Merge a single document, as `import_orders` does: it waits for its own order alone, and for the members of a
    subscription that the order carries. Errors name line 1."""
    return import_orders(connection, [(1, line)])


def _batches(
    lines: Iterable[tuple[int, bytes]], result: ImportResult, progress: Callable[[int], object]
) -> Iterator[tuple[list[OrderRows], int]]:
    """Rows of different orders, a batch at a time, with the bytes of their lines."""
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


class _Merge:
    """Takes batches of different orders, all of them locked, into the tables."""

    def __init__(
        self,
        connection: Connection,
        cursor: psycopg.Cursor[Any],
        store_ids: dict[str, int],
        result: ImportResult,
    ) -> None:
        self._connection = connection
        self._cursor = cursor
        self._page_ids = store_ids
        self._result = result
        cursor.execute(_script("import_staging.sql"))

    def run(self, documents: list[OrderRows]) -> None:
        changed, known_ids = self._changed(documents)
        if not changed:
            return
        stored = self._stored_lines(known_ids)
        batch = Batch()
        for rows in changed:
            page_id = self._page_ids[rows.store]
            if rows.order_id not in known_ids:
                batch.add(rows, page_id, known=False, positions=range(1, len(rows.items) + 1))
                continue
            lines = stored.get(rows.order_id, [])
            try:
                matched = match_lines(
                    lines, rows.lines(), last_position=partial(self._last_position, rows, lines)
                )
            except WrongField as error:
                raise ImportLineError(rows.line_number, error.field, error.reason) from None
            batch.add(rows, page_id, known=True, positions=matched.positions, kept=matched.kept)
        try:
            self._copy(batch)
            keep_erased(self._connection, has_known=bool(known_ids))
            self._merge(batch, has_known=bool(known_ids))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RefusedByDatabase(
                f"Lines {documents[0].line_number:,} to {documents[-1].line_number:,}: "
                f"the database refused them: {error.diag.message_primary}."
            ) from error

    def _merge(self, batch: Batch, *, has_known: bool) -> None:
        has_subscriptions = bool(batch.tables["stage_subscription"])
        if batch.tables["stage_kept"]:
            self._cursor.execute(_script("import_keep.sql"))
        if has_subscriptions:
            self._cursor.execute(_script("import_words_before.sql"))
        if has_known:
            self._cursor.execute(_script("import_update.sql"))
        self._cursor.execute(_script("import_insert.sql"))
        if has_subscriptions:
            self._cursor.execute(_script("import_words_after.sql"))

    def _changed(self, documents: list[OrderRows]) -> tuple[list[OrderRows], set[int]]:
        """The documents that are neither old nor known, and those of their orders that are here already."""
        self._cursor.execute(
            "SELECT order_id, source_digest, source_updated_at FROM orders WHERE order_id = ANY (%s)",
            [[rows.order_id for rows in documents]],
        )
        known = {row[0]: row[1:] for row in self._cursor}
        changed, known_ids = [], set()
        for rows in documents:
            if (found := known.get(rows.order_id)) is None:
                self._result.inserted += 1
            elif found[0] == rows.content_hash or _is_older(rows, found[1]):
                self._result.unchanged += 1
                continue
            else:
                self._result.updated += 1
                known_ids.add(rows.order_id)
            changed.append(rows)
        return changed, known_ids

    def _stored_lines(self, order_ids: set[int]) -> dict[int, list[StoredLine]]:
        found: dict[int, list[StoredLine]] = {}
        if order_ids:
            self._cursor.execute(_script("import_lines.sql"), {"order_ids": list(order_ids)})
            for order_id, codes, *values in self._cursor:
                found.setdefault(order_id, []).append(_stored_line(tuple(codes), *values))
        return found

    def _last_position(self, rows: OrderRows, lines: list[StoredLine]) -> int:
        """The highest position that an item of the order has, or that a refund or a mail still refers to."""
        self._cursor.execute(_script("import_last_position.sql"), {"order_id": rows.order_id})
        [referred] = self._cursor.fetchone() or (0,)
        return max(referred, *(line.position for line in lines), 0)

    def _copy(self, batch: Batch) -> None:
        self._cursor.execute(f"TRUNCATE {', '.join(COLUMNS)}")
        for table, columns in COLUMNS.items():
            if batch.tables[table]:
                with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in batch.tables[table]:
                        copy.write_row(row)


def _stored_line(codes: tuple[str, ...], *values: Any) -> StoredLine:
    position, item_id, product_id, sku, name, price, quantity, amount, refunded, refunded_here = values
    return StoredLine(
        item_id, product_id, sku, name, price, quantity, amount, refunded, codes, position, refunded_here
    )


def _is_older(rows: OrderRows, stored: Any) -> bool:
    return (
        rows.updated_at is not None
        and stored is not None
        and datetime.fromisoformat(rows.updated_at) < stored
    )


def _note_unknown(result: ImportResult, parsed: ParsedOrder, number: int) -> None:
    for path in {re.sub(r"\[\d+\]", "[]", warning) for warning in parsed.warnings}:
        times, first = result.unknown_keys.get(path, (0, number))
        # An attacker's file may have a new key on every line.
        if times or len(result.unknown_keys) < 1_000:
            result.unknown_keys[path] = (times + 1, first)


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - what the engine was made with
    return driver.cursor()


@cache
def _script(name: str) -> str:
    return (_SQL / name).read_text(encoding="utf-8")
