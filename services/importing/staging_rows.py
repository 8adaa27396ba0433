"""Order documents as rows of the staging tables (`db/statements/importing/import_staging.sql`), ready for COPY.

Rows are made in two steps, because a file is read to its end before anything of it is merged: `order_rows` has what
the document says, in plain values that go quickly through a temporary file; `Batch.add` puts in what only the database
knows.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from db.schema.statuses import SUBSCRIPTION_TYPES, SubscriptionStatus
from services.importing.document import ParsedOrder
from services.importing.item_matching import Line
from services.importing.models import (
    DocumentData,
    HistoryEvent,
    ItemData,
    NameValue,
    OrderDocument,
    SubscriptionData,
)

_Row = tuple[Any, ...]
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode

# Every row begins with the order; those of an item go on with its position, and all with the checkout page.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(columns.split())
    for name, columns in {
        "stage_order": """order_id checkout_page_id known order_name order_id_1c status created_at paid_at currency
            total locale detail_url customer_type country email first_name last_name phone vat_number company_name
            company_billing_address company_delivery_address customer_erased payment_method payment_system_name
            card_type card_last_4 card_expiration_date additional_parameters delivered active_subscription
            cancelled_subscription source_updated_at source_digest""",
        "stage_item": """order_id position checkout_page_id item_id product_id sku name price quantity
            discount_percent discount_amount vat_amount amount delivery delivered refunded license_first_name
            license_last_name license_email license_erased additional_data""",
        "stage_code": "order_id position checkout_page_id number code deleted",
        "stage_subscription": """order_id position checkout_page_id subscription_id type said_status status
            parent_order_id period next_renewal_at""",
        "stage_document": "order_id checkout_page_id number name kind media_type content",
        "stage_history": "order_id checkout_page_id number at kind text document_name document_kind",
        "stage_relation": "order_id checkout_page_id related_order_id relation",
        "stage_kept": "order_id position",
    }.items()
}


class OrderRows(NamedTuple):
    """One document as rows that have neither a checkout page nor positions yet; those of items begin with the place
    of their line, counted from 0."""

    line_number: int
    order_id: int
    store: str
    updated_at: str | None
    content_hash: bytes
    order: _Row
    items: list[_Row]
    codes: list[_Row]
    subscriptions: list[_Row]
    documents: list[_Row]
    history: list[_Row]
    relations: list[_Row]

    def lines(self) -> list[Line]:
        """What each of the document's lines is known by."""
        codes: dict[int, tuple[str, ...]] = {}
        for place, _, code, _ in self.codes:
            codes[place] = (*codes.get(place, ()), code)
        lines = []
        for place, item_id, product_id, sku, name, price, quantity, *more in self.items:
            amount, refunded = more[3], more[6]
            lines.append(
                Line(
                    item_id,
                    product_id,
                    sku,
                    name,
                    Decimal(price),
                    quantity,
                    Decimal(amount),
                    refunded,
                    codes.get(place, ()),
                )
            )
        return lines

    def subscription_ids(self) -> Iterator[str]:
        return (row[1] for row in self.subscriptions)


@dataclass(slots=True)
class Batch:
    """The rows of one batch, by staging table."""

    tables: dict[str, list[_Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(
        self,
        rows: OrderRows,
        page_id: int,
        *,
        known: bool,
        positions: Sequence[int],
        kept: Sequence[int] = (),
    ) -> None:
        """Adds one order; `known` when the database has it already, `kept` are items that stay as they are there."""
        tables, order_id = self.tables, rows.order_id
        tables["stage_order"].append((order_id, page_id, known, *rows.order))
        for name, of_items in (
            ("stage_item", rows.items),
            ("stage_code", rows.codes),
            ("stage_subscription", rows.subscriptions),
        ):
            tables[name] += [(order_id, positions[row[0]], page_id, *row[1:]) for row in of_items]
        for name, of_order in (
            ("stage_document", rows.documents),
            ("stage_history", rows.history),
            ("stage_relation", rows.relations),
        ):
            tables[name] += [(order_id, page_id, *row) for row in of_order]
        tables["stage_kept"] += [(order_id, position) for position in kept]


def order_rows(parsed: ParsedOrder, line_number: int) -> OrderRows:
    order = parsed.order
    rows = OrderRows(
        line_number,
        order.order_id,
        order.checkout_page,
        _text(order.updated_at),
        parsed.content_hash,
        _order(parsed),
        [],
        [],
        [],
        [(n, d.name, str(d.kind), d.media_type, d.content) for n, d in enumerate(order.documents, 1)],
        list(_history(order)),
        [(related.order_id, str(related.relation)) for related in order.related_orders],
    )
    for index, item in enumerate(order.items):
        rows.items.append((index, *_item(item)))
        for number, code in enumerate(item.activation_codes, 1):
            rows.codes.append((index, number, code.code, code.deleted))
        if item.subscription is not None:
            rows.subscriptions.append((index, *_subscription(item.subscription)))
    return rows


def _item(item: ItemData) -> _Row:
    user = item.license_user
    return (
        item.item_id if item.has_own_id else None,
        item.product_id,
        item.sku,
        item.name,
        str(item.price),
        item.quantity,
        _text(item.discount_percent),
        _text(item.discount_amount),
        _text(item.vat_amount),
        str(item.amount),
        _text(item.delivery),
        item.delivered,
        item.refunded,
        user and user.first_name,
        user and user.last_name,
        user and user.email,
        bool(user and user.erased),
        _pairs(item.additional_fields),
    )


def _subscription(subscription: SubscriptionData) -> _Row:
    status = str(subscription.status)
    return (
        subscription.id,
        subscription.type,
        status,  # as the shop says it
        status,  # as it is, until the portal changes it
        subscription.parent_order_id,
        subscription.period,
        _text(subscription.next_renewal_date),
    )


def _order(parsed: ParsedOrder) -> _Row:
    order = parsed.order
    customer, payment = order.customer, order.payment
    shown = [
        item.subscription.status != SubscriptionStatus.CANCELLED
        for item in order.items
        if item.subscription is not None
        and item.subscription.type in SUBSCRIPTION_TYPES
        and (order.pay_date is not None or item.subscription.parent_order_id not in (None, order.order_id))
    ]
    # There is nothing to deliver in a discount or a return, unless the order consists of nothing else.
    delivered = [item.delivered for item in order.items if item.amount >= 0] or [
        item.delivered for item in order.items
    ]
    return (
        order.order_name,
        order.order_id_1c,
        str(order.status),
        str(order.create_date),
        _text(order.pay_date),
        order.currency,
        str(order.total),
        order.locale,
        order.order_detail_url,
        _text(customer.type),
        customer.country,
        customer.email,
        customer.first_name,
        customer.last_name,
        customer.phone,
        customer.vat_number,
        customer.company_name,
        customer.company_billing_address,
        customer.company_delivery_address,
        customer.erased,
        payment.payment_method,
        payment.payment_system_name,
        payment.card_type,
        payment.card_last_4,
        payment.card_expiration_date,
        _pairs(order.additional_data),
        all(delivered),
        True in shown,
        False in shown,
        _text(order.updated_at),
        parsed.content_hash,
    )


def _history(order: OrderDocument) -> Iterator[_Row]:
    for number, event in enumerate(order.history, 1):
        meant = _document_meant(event, order.documents)
        yield (
            number,
            str(event.date),
            str(event.kind),
            event.text,
            meant and meant.name,
            meant and str(meant.kind),
        )


def _document_meant(event: HistoryEvent, documents: tuple[DocumentData, ...]) -> DocumentData | None:
    """The document that a line about documents names; the longest name when one is part of another."""
    if event.kind != "document":
        return None
    named = [document for document in documents if document.name in event.text]
    return max(named, key=lambda document: len(document.name), default=None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _pairs(pairs: tuple[NameValue, ...]) -> str:
    return (
        json.dumps([{"name": p.name, "value": p.value} for p in pairs], ensure_ascii=False) if pairs else "[]"
    )
