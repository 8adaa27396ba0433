"""Merge batches of order documents into the tables, a few statements per batch.

COPY fills temporary tables, because PostgreSQL refuses COPY into tables with row-level security; from there everything
goes through the constraints of the real tables.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg.rows import TupleRow, class_row
from sqlalchemy import Connection

from services.errors import InvalidInput
from services.importing.document import ImportLineError
from services.importing.erased_persons import keep_erased
from services.importing.item_matching import ItemMatches, StoredItem, match_item, match_items
from services.importing.refusals import WrongField
from services.importing.staging_rows import COLUMNS, Batch, OrderRows

_KNOWN: Final = COLUMNS["stage_order"].index("known")
_SUMS_UP: Final = COLUMNS["stage_order"].index("sums_up")
_SQL: Final = Path(__file__).resolve().parents[2] / "db" / "statements" / "importing"


class RefusedByDatabase(InvalidInput):
    """A document passed every check here and still broke a constraint of the tables. `reason` is the database's."""

    def __init__(self, message: str, reason: str | None) -> None:
        super().__init__(message)
        self.reason = f"The database refused it: {reason}."


class Fate(StrEnum):
    """The outcome of a document. `FOREIGN`: its order belongs to another store, and nothing was changed."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"


@dataclass(slots=True)
class MergeCounts:
    """The number of orders that were changed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    # By order ID, when the caller asks for them with an empty dictionary: a file has too many.
    fates: dict[int, Fate] | None = None

    def count(self, rows: OrderRows, fate: Fate) -> None:
        self.inserted += fate is Fate.INSERTED
        self.updated += fate is Fate.UPDATED
        self.unchanged += fate is Fate.UNCHANGED
        if self.fates is not None:
            self.fates[rows.order_id] = fate


class _StoredOrder(NamedTuple):
    order_id: int
    checkout_page_id: int
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
    said_at: datetime | None
    said_alone: bool


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
        existing = self._existing(documents)
        batch = self._batch(self._changed(documents, existing), existing)
        if not batch.tables["stage_order"]:
            return
        has_existing = any(row[_KNOWN] for row in batch.tables["stage_order"])
        try:
            self._copy(batch)
            keep_erased(self._connection, has_existing=has_existing)
            self._merge(batch, has_existing=has_existing)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RefusedByDatabase(
                f"Lines {documents[0].line_number:,} to {documents[-1].line_number:,}: "
                f"the database refused them: {error.diag.message_primary}.",
                error.diag.message_primary,
            ) from error

    def _existing(self, documents: list[OrderRows]) -> dict[int, _StoredOrder]:
        """Those orders of the documents that are here already, by ID."""
        self._cursor.execute(
            "SELECT order_id, checkout_page_id, source_digest, source_updated_at FROM orders "
            "WHERE order_id = ANY (%s)",
            [[rows.order_id for rows in documents]],
        )
        return {order.order_id: order for order in map(_StoredOrder._make, self._cursor)}

    def _changed(self, documents: list[OrderRows], existing: dict[int, _StoredOrder]) -> list[OrderRows]:
        """The documents that may say something new."""
        changed = []
        for rows in documents:
            stored = existing.get(rows.order_id)
            if stored is None:
                changed.append(rows)
            elif rows.only_store and stored.checkout_page_id != self._store_ids[rows.store]:
                self._counts.count(rows, Fate.FOREIGN)
            elif stored.source_digest == rows.content_hash or (
                _is_older(rows, stored) and not rows.only_item
            ):
                self._counts.count(rows, Fate.UNCHANGED)
            else:
                changed.append(rows)
        return changed

    def _batch(self, changed: list[OrderRows], existing: dict[int, _StoredOrder]) -> Batch:
        items = self._stored_items({rows.order_id for rows in changed if rows.order_id in existing})
        batch = Batch()
        for rows in changed:
            store_id = self._store_ids[rows.store]
            order = existing.get(rows.order_id)
            if order is None:
                batch.add(rows, store_id, exists=False, positions=range(1, len(rows.items) + 1))
                self._counts.count(rows, Fate.INSERTED)
                continue
            stored, stays = items[rows.order_id], _is_older(rows, order)
            matches = self._match(rows, stored)
            if stays and not _is_news(rows, stored, matches.positions[0]):
                self._counts.count(rows, Fate.UNCHANGED)
                continue
            batch.add(
                rows,
                store_id,
                exists=True,
                stays=stays,
                positions=matches.positions,
                remaining=matches.remaining,
            )
            self._counts.count(rows, Fate.UPDATED)
        return batch

    def _match(self, rows: OrderRows, stored: list[StoredItem]) -> ItemMatches:
        last_position = partial(self._last_position, rows, stored)
        sent = rows.document_items()
        try:
            if rows.only_item:
                return match_item(stored, sent[0], last_position=last_position)
            return match_items(stored, sent, last_position=last_position)
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
                        row.said_at,
                        row.said_alone,
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
        if batch.tables["stage_kept"] or any(row[_SUMS_UP] for row in batch.tables["stage_order"]):
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


def _is_news(rows: OrderRows, stored: list[StoredItem], position: int) -> bool:
    """Whether a document about one item that is older than its order's latest still counts.

    It does unless a later document was about this item or about the whole order.
    """
    said_at = datetime.fromisoformat(rows.updated_at) if rows.updated_at is not None else None
    item = next((item for item in stored if item.position == position), None)
    # An item that is not here may be one that a later document of the whole order did not have.
    later = [item] if item is not None else [item for item in stored if not item.said_alone]
    return said_at is not None and all(item.said_at is not None and said_at >= item.said_at for item in later)


@cache
def _script(name: str) -> str:
    return (_SQL / name).read_text(encoding="utf-8")
