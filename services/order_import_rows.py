"""Order documents as rows of the staging tables (`db/sql/import_staging.sql`), ready for COPY."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from services.order_document import ParsedOrder
from services.order_document_shapes import DocumentData, HistoryEvent, NameValue, OrderDocument
from services.statuses import SUBSCRIPTION_TYPES

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
        "stage_code": "order_id position number checkout_page_id code deleted",
        "stage_subscription": """order_id position checkout_page_id subscription_id type status parent_order_id
            period next_renewal_at""",
        "stage_document": "order_id number checkout_page_id name kind media_type content",
        "stage_history": "order_id number checkout_page_id at kind text document_name document_kind",
        "stage_relation": "order_id related_order_id relation checkout_page_id",
    }.items()
}


@dataclass(slots=True)
class Rows:
    """The rows of one batch, by staging table."""

    tables: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(self, parsed: ParsedOrder, page_id: int, *, known: bool) -> None:
        """Adds one order with all that belongs to it; `known` when the database has it already."""
        tables, order = self.tables, parsed.order
        tables["stage_order"].append(_order(parsed, page_id, known))
        for position, item in enumerate(order.items, 1):
            user = item.license_user
            tables["stage_item"].append(
                (
                    order.order_id,
                    position,
                    page_id,
                    item.item_id,
                    item.product_id,
                    item.sku,
                    item.name,
                    item.price,
                    item.quantity,
                    item.discount_percent,
                    item.discount_amount,
                    item.vat_amount,
                    item.amount,
                    item.delivery,
                    item.delivered,
                    item.refunded,
                    user and user.first_name,
                    user and user.last_name,
                    user and user.email,
                    bool(user and user.erased),
                    _pairs(item.additional_fields),
                )
            )
            for number, code in enumerate(item.activation_codes, 1):
                tables["stage_code"].append(
                    (order.order_id, position, number, page_id, code.code, code.deleted)
                )
            if (carried := item.subscription) is not None:
                tables["stage_subscription"].append(
                    (
                        order.order_id,
                        position,
                        page_id,
                        carried.id,
                        carried.type,
                        carried.status,
                        carried.parent_order_id,
                        carried.period,
                        carried.next_renewal_date,
                    )
                )
        for number, document in enumerate(order.documents, 1):
            tables["stage_document"].append(
                (
                    order.order_id,
                    number,
                    page_id,
                    document.name,
                    document.kind,
                    document.media_type,
                    document.content,
                )
            )
        tables["stage_history"].extend(_history(order, page_id))
        for related in order.related_orders:
            tables["stage_relation"].append((order.order_id, related.order_id, related.relation, page_id))


def _order(parsed: ParsedOrder, page_id: int, known: bool) -> tuple[Any, ...]:
    order = parsed.order
    customer, payment = order.customer, order.payment
    shown = [
        item.subscription.status != "cancelled"
        for item in order.items
        if item.subscription is not None
        and item.subscription.type in SUBSCRIPTION_TYPES
        and (order.pay_date is not None or item.subscription.parent_order_id not in (None, order.order_id))
    ]
    return (
        order.order_id,
        page_id,
        known,
        order.order_name,
        order.order_id_1c,
        order.status,
        order.create_date,
        order.pay_date,
        order.currency,
        order.total,
        order.locale,
        order.order_detail_url,
        customer.type,
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
        all(item.delivered for item in order.items),
        True in shown,
        False in shown,
        order.updated_at,
        parsed.content_hash,
    )


def _history(order: OrderDocument, page_id: int) -> Iterator[tuple[Any, ...]]:
    for number, event in enumerate(order.history, 1):
        meant = _document_meant(event, order.documents)
        yield (
            order.order_id,
            number,
            page_id,
            event.date,
            event.kind,
            event.text,
            meant and meant.name,
            meant and meant.kind,
        )


def _document_meant(event: HistoryEvent, documents: tuple[DocumentData, ...]) -> DocumentData | None:
    """The document that a line about documents names; the longest name when one is part of another."""
    if event.kind != "document":
        return None
    named = [document for document in documents if document.name in event.text]
    return max(named, key=lambda document: len(document.name), default=None)


def _pairs(pairs: tuple[NameValue, ...]) -> str:
    return json.dumps([{"name": p.name, "value": p.value} for p in pairs], ensure_ascii=False)
