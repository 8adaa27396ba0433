"""Importing order documents: one JSON a line, all of a file or nothing of it.

Documents are read line by line, gathered in batches, and merged by a few statements a batch, all in one transaction:
memory stays flat whatever the size of the file. COPY fills temporary tables, because PostgreSQL refuses COPY into
tables with row-level security; from there everything goes through the constraints of the real tables.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import BigInteger, Connection, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.tables import checkout_page, orders
from services.errors import InvalidInput
from services.order_document import ParsedOrder, parse_order
from services.order_import_erased import keep_erased
from services.order_import_rows import COLUMNS, Rows

_BATCH_ORDERS: Final = 2_000
_BATCH_BYTES: Final = 16 * 1024 * 1024
_SQL: Final = Path(__file__).resolve().parent.parent / "db" / "sql"


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
    """Merges order documents, numbered lines as `iter_lines` reads them, into the tables; `progress` is told the
    bytes of each line that was taken in.

    A document that is the same as the last one read for its order, or older than it, changes nothing. A newer one
    replaces what the shop has said of the order; what the portal has recorded (refund requests, notes, deleted
    codes, erased people) stays. `connection` is a transaction of the jobs' role; on `ImportLineError`, or on
    `RefusedByDatabase`, the caller's rolling back leaves nothing of the file.
    """
    # Two imports at once would wait for each other's orders in different sequences, and deadlock.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('esupport import'))"))
    cursor = _cursor(connection)
    cursor.execute(_script("import_staging.sql"))
    result = ImportResult()
    merge = _Merge(connection, cursor, result)
    batch: dict[int, tuple[int, ParsedOrder]] = {}
    size = 0
    for number, line in lines:
        parsed = parse_order(line, number)
        _note_unknown(result, parsed, number)
        if parsed.order.order_id in batch or len(batch) >= _BATCH_ORDERS or size > _BATCH_BYTES:
            merge.run(batch)
            batch, size = {}, 0
        batch[parsed.order.order_id] = (number, parsed)
        size += len(line)
        progress(len(line))
    merge.run(batch)
    return result


class _Merge:
    """Takes batches of different orders into the tables."""

    def __init__(self, connection: Connection, cursor: psycopg.Cursor[Any], result: ImportResult) -> None:
        self._connection = connection
        self._cursor = cursor
        self._result = result
        self._page_ids: dict[str, int] = {}

    def run(self, batch: dict[int, tuple[int, ParsedOrder]]) -> None:
        if not batch:
            return
        known = self._lock_known(list(batch))
        rows = Rows()
        has_known = False
        for order_id, (_, parsed) in batch.items():
            if (found := known.get(order_id)) is None:
                self._result.inserted += 1
            elif found.source_digest == parsed.content_hash or _is_older(parsed, found.source_updated_at):
                self._result.unchanged += 1
                continue
            else:
                self._result.updated += 1
                has_known = True
            rows.add(parsed, self._page_id(parsed.order.checkout_page), known=found is not None)
        try:
            self._copy(rows)
            keep_erased(self._connection, has_known=has_known)
            if has_known:
                self._cursor.execute(_script("import_update.sql"))
            self._cursor.execute(_script("import_insert.sql"))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            lines = [number for number, _ in batch.values()]
            raise RefusedByDatabase(
                f"Lines {lines[0]:,} to {lines[-1]:,}: the database refused them: {error.diag.message_primary}."
            ) from error

    def _lock_known(self, order_ids: list[int]) -> dict[int, Any]:
        statement = (
            select(orders.c.order_id, orders.c.source_digest, orders.c.source_updated_at)
            .where(orders.c.order_id == any_(literal(order_ids, ARRAY(BigInteger))))
            .order_by(orders.c.order_id)
            .with_for_update()
        )
        return {row.order_id: row for row in self._connection.execute(statement)}

    def _page_id(self, name: str) -> int:
        if name not in self._page_ids:
            self._connection.execute(
                insert(checkout_page).values(name=name).on_conflict_do_nothing(index_elements=["name"])
            )
            self._page_ids[name] = self._connection.execute(
                select(checkout_page.c.id).where(checkout_page.c.name == name)
            ).scalar_one()
        return self._page_ids[name]

    def _copy(self, rows: Rows) -> None:
        self._cursor.execute(f"TRUNCATE {', '.join(COLUMNS)}")
        for table, columns in COLUMNS.items():
            if rows.tables[table]:
                with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows.tables[table]:
                        copy.write_row(row)


def _is_older(parsed: ParsedOrder, stored: Any) -> bool:
    updated_at = parsed.order.updated_at
    return updated_at is not None and stored is not None and updated_at < stored


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
