"""Merge batches of order documents into the tables, a few statements per batch.

COPY fills temporary tables, because PostgreSQL refuses COPY into tables with row-level security; from there everything
goes through the constraints of the real tables.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg.rows import TupleRow, class_row
from sqlalchemy import Connection

from services.errors import InvalidInput
from services.importing.document import ImportLineError
from services.importing.erased_persons import keep_erased
from services.importing.item_matching import ItemMatches, StoredItem, match_items
from services.importing.refusals import WrongField
from services.importing.staging_rows import COLUMNS, Batch, OrderRows

_SQL: Final = Path(__file__).resolve().parents[2] / "db" / "statements" / "importing"


class RefusedByDatabase(InvalidInput):
    """A document passed every check here and still broke a constraint of the tables."""


@dataclass(slots=True)
class MergeCounts:
    """How many orders were changed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class _StoredOrder(NamedTuple):
    order_id: int
    source_digest: bytes
    source_updated_at: datetime | None


class _StoredItemRow(NamedTuple):
    """A row of import_lines.sql."""

    order_id: int
    codes: list[str]
    position: int
    item_id: str | None
    product_id: str | None
    sku: str | None
    name: str
    price: Decimal
    quantity: int
    amount: Decimal
    refunded: bool
    refunded_here: bool


class Merge:
    """Merge batches of different orders, all of them locked, and count them in `counts`."""

    def __init__(
        self,
        connection: Connection,
        cursor: psycopg.Cursor[TupleRow],
        store_ids: dict[str, int],
        counts: MergeCounts,
    ) -> None:
        self._connection = connection
        self._cursor = cursor
        self._store_ids = store_ids
        self._counts = counts
        cursor.execute(_script("import_staging.sql"))

    def run(self, documents: list[OrderRows]) -> None:
        """Raises `ImportLineError` for items that cannot be told apart, and `RefusedByDatabase`."""
        changed, existing_ids = self._changed(documents)
        if not changed:
            return
        batch = self._batch(changed, existing_ids)
        try:
            self._copy(batch)
            keep_erased(self._connection, has_existing=bool(existing_ids))
            self._merge(batch, has_existing=bool(existing_ids))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RefusedByDatabase(
                f"Lines {documents[0].line_number:,} to {documents[-1].line_number:,}: "
                f"the database refused them: {error.diag.message_primary}."
            ) from error

    def _changed(self, documents: list[OrderRows]) -> tuple[list[OrderRows], set[int]]:
        """The documents that say something new, and the ids of those orders among them that exist already."""
        self._cursor.execute(
            "SELECT order_id, source_digest, source_updated_at FROM orders WHERE order_id = ANY (%s)",
            [[rows.order_id for rows in documents]],
        )
        existing = {order.order_id: order for order in map(_StoredOrder._make, self._cursor)}
        changed, existing_ids = [], set()
        for rows in documents:
            if (stored := existing.get(rows.order_id)) is None:
                self._counts.inserted += 1
            elif stored.source_digest == rows.content_hash or _is_older(rows, stored):
                self._counts.unchanged += 1
                continue
            else:
                self._counts.updated += 1
                existing_ids.add(rows.order_id)
            changed.append(rows)
        return changed, existing_ids

    def _batch(self, changed: list[OrderRows], existing_ids: set[int]) -> Batch:
        stored = self._stored_items(existing_ids)
        batch = Batch()
        for rows in changed:
            store_id = self._store_ids[rows.store]
            if rows.order_id in existing_ids:
                matches = self._match(rows, stored[rows.order_id])
                batch.add(
                    rows, store_id, exists=True, positions=matches.positions, remaining=matches.remaining
                )
            else:
                batch.add(rows, store_id, exists=False, positions=range(1, len(rows.items) + 1))
        return batch

    def _match(self, rows: OrderRows, stored: list[StoredItem]) -> ItemMatches:
        last_position = partial(self._last_position, rows, stored)
        try:
            return match_items(stored, rows.document_items(), last_position=last_position)
        except WrongField as error:
            raise ImportLineError(rows.line_number, error.field, error.reason) from None

    def _stored_items(self, order_ids: set[int]) -> defaultdict[int, list[StoredItem]]:
        """The items of these orders, by order."""
        items: defaultdict[int, list[StoredItem]] = defaultdict(list)
        if not order_ids:
            return items
        with self._cursor.connection.cursor(row_factory=class_row(_StoredItemRow)) as cursor:
            for row in cursor.execute(_script("import_lines.sql"), {"order_ids": list(order_ids)}):
                items[row.order_id].append(
                    StoredItem(
                        row.item_id,
                        row.product_id,
                        row.sku,
                        row.name,
                        row.price,
                        row.quantity,
                        row.amount,
                        row.refunded,
                        tuple(row.codes),
                        row.position,
                        row.refunded_here,
                    )
                )
        return items

    def _last_position(self, rows: OrderRows, stored: list[StoredItem]) -> int:
        """The highest position that an item of the order has, or that a refund or a mail still refers to."""
        self._cursor.execute(_script("import_last_position.sql"), {"order_id": rows.order_id})
        row = self._cursor.fetchone()
        referred = int(row[0]) if row else 0
        return max(referred, *(item.position for item in stored), 0)

    def _copy(self, batch: Batch) -> None:
        self._cursor.execute(f"TRUNCATE {', '.join(COLUMNS)}")
        for table, columns in COLUMNS.items():
            if batch.tables[table]:
                with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in batch.tables[table]:
                        copy.write_row(row)

    def _merge(self, batch: Batch, *, has_existing: bool) -> None:
        has_subscriptions = bool(batch.tables["stage_subscription"])
        if batch.tables["stage_kept"]:
            self._cursor.execute(_script("import_keep.sql"))
        if has_subscriptions:
            self._cursor.execute(_script("import_words_before.sql"))
        if has_existing:
            self._cursor.execute(_script("import_update.sql"))
        self._cursor.execute(_script("import_insert.sql"))
        if has_subscriptions:
            self._cursor.execute(_script("import_words_after.sql"))


def _is_older(rows: OrderRows, stored: _StoredOrder) -> bool:
    return (
        rows.updated_at is not None
        and stored.source_updated_at is not None
        and datetime.fromisoformat(rows.updated_at) < stored.source_updated_at
    )


@cache
def _script(name: str) -> str:
    return (_SQL / name).read_text(encoding="utf-8")
