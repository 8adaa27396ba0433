"""Rows of the staging tables (`db/statements/importing/import_staging.sql`), ready for COPY.

They come about in two steps, because a file is read to its end before anything of it is merged. `OrderRows` holds what
a document says (services/importing/order_rows.py makes it), in plain values that pass quickly through a temporary file;
`Batch.add` adds what only the database knows.

Each kind of row declares its columns once, by name, in the order in which COPY sends them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from services.importing.item_matching import DocumentItem

Row = tuple[object, ...]


class OrderRow(NamedTuple):
    """Amounts and times are strings, as COPY sends them; so are they in all rows."""

    order_name: str
    order_id_1c: str | None
    status: str
    created_at: str
    paid_at: str | None
    currency: str
    total: str
    locale: str | None
    detail_url: str | None
    customer_type: str | None
    country: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    vat_number: str | None
    company_name: str | None
    company_billing_address: str | None
    company_delivery_address: str | None
    customer_erased: bool
    payment_method: str | None
    payment_system_name: str | None
    card_type: str | None
    card_last_4: str | None
    card_expiration_date: str | None
    payment_provider: str | None
    payment_reference: str | None
    additional_parameters: str
    delivered: bool
    active_subscription: bool
    cancelled_subscription: bool
    source_updated_at: str | None
    source_digest: bytes


class ItemRow(NamedTuple):
    """`item` is the index of the item in the document; the database's position takes its place.

    `said_at` is the document's time, `said_alone` whether it is about this item alone.
    """

    item: int
    item_id: str | None
    product_id: str | None
    sku: str | None
    name: str
    price: str
    quantity: int
    discount_percent: str | None
    discount_amount: str | None
    vat_amount: str | None
    amount: str
    delivery: str | None
    delivered: bool
    refunded: bool
    license_first_name: str | None
    license_last_name: str | None
    license_email: str | None
    license_erased: bool
    additional_data: str
    said_at: str | None
    said_alone: bool


class CodeRow(NamedTuple):
    item: int
    number: int
    code: str
    deleted: bool


class SubscriptionRow(NamedTuple):
    """`said_status` is the shop's word; `status` is the same until the portal changes it."""

    item: int
    subscription_id: str
    type: str
    said_status: str
    status: str
    parent_order_id: int | None
    period: str | None
    next_renewal_at: str | None


class DocumentRow(NamedTuple):
    number: int
    name: str
    kind: str
    media_type: str
    content: bytes


class HistoryRow(NamedTuple):
    number: int
    at: str
    kind: str
    text: str
    document_name: str | None
    document_kind: str | None


class RelationRow(NamedTuple):
    related_order_id: int
    relation: str


_OF_ITEM: Final = ("order_id", "position", "checkout_page_id")
_OF_ORDER: Final = ("order_id", "checkout_page_id")
# The columns of each staging table, in the order of `Batch.add`.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "stage_order": (*_OF_ORDER, "known", "only_item", "stays", "sums_up", "only_store", *OrderRow._fields),
    "stage_item": (*_OF_ITEM, *ItemRow._fields[1:]),
    "stage_code": (*_OF_ITEM, *CodeRow._fields[1:]),
    "stage_subscription": (*_OF_ITEM, *SubscriptionRow._fields[1:]),
    "stage_document": (*_OF_ORDER, *DocumentRow._fields),
    "stage_history": (*_OF_ORDER, *HistoryRow._fields),
    "stage_relation": (*_OF_ORDER, *RelationRow._fields),
    "stage_kept": ("order_id", "position"),
}


class OrderRows(NamedTuple):
    """One document as rows that have neither a store nor positions yet.

    `only_item`: it is about its one item, and leaves the order's others and whatever else it does not have; `sums_up`:
    such a document without a total, which is that of all items then. `only_store`: it may not change an order of
    another store.
    """

    line_number: int
    order_id: int
    store: str
    updated_at: str | None
    content_hash: bytes
    only_item: bool
    sums_up: bool
    only_store: bool
    order: OrderRow
    items: list[ItemRow]
    codes: list[CodeRow]
    subscriptions: list[SubscriptionRow]
    documents: list[DocumentRow]
    history: list[HistoryRow]
    relations: list[RelationRow]

    def document_items(self) -> list[DocumentItem]:
        """The features by which each of the document's items is recognised."""
        codes: dict[int, tuple[str, ...]] = {}
        for row in self.codes:
            codes[row.item] = (*codes.get(row.item, ()), row.code)
        return [
            DocumentItem(
                row.item_id,
                row.product_id,
                row.sku,
                row.name,
                Decimal(row.price),
                row.quantity,
                Decimal(row.amount),
                row.refunded,
                codes.get(row.item, ()),
            )
            for row in self.items
        ]

    def subscription_ids(self) -> Iterator[str]:
        return (row.subscription_id for row in self.subscriptions)

    def as_tuples(self) -> Row:
        """The same in nothing but built-in types, for `marshal`."""
        return (*self[:8], tuple(self.order), *([tuple(row) for row in rows] for rows in self[9:]))

    @classmethod
    def from_tuples(cls, values: tuple[Any, ...]) -> "OrderRows":  # Any: `marshal` knows no types
        items, codes, subscriptions, documents, history, relations = values[9:]
        rows = (
            [ItemRow._make(row) for row in items],
            [CodeRow._make(row) for row in codes],
            [SubscriptionRow._make(row) for row in subscriptions],
            [DocumentRow._make(row) for row in documents],
            [HistoryRow._make(row) for row in history],
            [RelationRow._make(row) for row in relations],
        )
        return cls._make((*values[:8], OrderRow._make(values[8]), *rows))


@dataclass(slots=True)
class Batch:
    """The rows of one batch, by staging table."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(
        self,
        rows: OrderRows,
        store_id: int,
        *,
        exists: bool,
        stays: bool = False,
        positions: Sequence[int],
        remaining: Sequence[int] = (),
    ) -> None:
        """Add one order.

        `exists` when the database has it already, `stays` when only its items change; `remaining` are the positions of
        the items that the document lacks and that stay as they are.
        """
        tables, order_id = self.tables, rows.order_id
        flags = (exists, rows.only_item, stays, rows.sums_up, rows.only_store)
        tables["stage_order"].append((order_id, store_id, *flags, *rows.order))
        for name, of_items in (
            ("stage_item", rows.items),
            ("stage_code", rows.codes),
            ("stage_subscription", rows.subscriptions),
        ):
            tables[name] += [(order_id, positions[row.item], store_id, *row[1:]) for row in of_items]
        tables["stage_kept"] += [(order_id, position) for position in remaining]
        if stays:
            return
        for name, of_order in (
            ("stage_document", rows.documents),
            ("stage_history", rows.history),
            ("stage_relation", rows.relations),
        ):
            tables[name] += [(order_id, store_id, *row) for row in of_order]
