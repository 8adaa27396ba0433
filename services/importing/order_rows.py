"""Turn a checked order document into rows of the staging tables: plain values, and summaries of the order."""

import json
from hashlib import sha256
from typing import Final

from db.schema.statuses import SUBSCRIPTION_TYPES, HistoryKind, SubscriptionStatus
from services.importing.document import ParsedOrder
from services.importing.models import (
    DocumentData,
    HistoryEvent,
    ItemData,
    NameValue,
    OrderDocument,
    SubscriptionData,
)
from services.importing.staging_rows import (
    CodeRow,
    DocumentRow,
    HistoryRow,
    ItemRow,
    OrderRow,
    OrderRows,
    RelationRow,
    SubscriptionRow,
)

# Made once; `json.dumps` with this option would make it anew for each call.
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


def order_rows(
    parsed: ParsedOrder,
    line_number: int,
    *,
    only_item: bool = False,
    sums_up: bool = False,
    only_store: bool = False,
) -> OrderRows:
    order = parsed.order
    # A document of the whole order that says the same is another one.
    content_hash = sha256(b"item" + parsed.content_hash).digest() if only_item else parsed.content_hash
    items, codes, subscriptions = [], [], []
    for index, item in enumerate(order.items):
        items.append(_item(index, item, _text(order.updated_at), said_alone=only_item))
        for number, code in enumerate(item.activation_codes, 1):
            codes.append(CodeRow(index, number, code.code, code.deleted))
        if item.subscription is not None:
            subscriptions.append(_subscription(index, item.subscription))
    return OrderRows(
        line_number,
        order.order_id,
        order.checkout_page,
        _text(order.updated_at),
        content_hash,
        only_item,
        sums_up,
        only_store,
        _order(order, content_hash),
        items,
        codes,
        subscriptions,
        [
            DocumentRow(number, file.name, str(file.kind), file.media_type, file.content)
            for number, file in enumerate(order.documents, 1)
        ],
        [_event(number, event, order.documents) for number, event in enumerate(order.history, 1)],
        [RelationRow(related.order_id, str(related.relation)) for related in order.related_orders],
    )


def _order(order: OrderDocument, content_hash: bytes) -> OrderRow:
    customer, payment = order.customer, order.payment
    renewals = _shown_renewals(order)
    return OrderRow(
        order_name=order.order_name,
        order_id_1c=order.order_id_1c,
        status=str(order.status),
        created_at=str(order.create_date),
        paid_at=_text(order.pay_date),
        currency=order.currency,
        total=str(order.total),
        locale=order.locale,
        detail_url=order.order_detail_url,
        customer_type=_text(customer.type),
        country=customer.country,
        email=customer.email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        phone=customer.phone,
        vat_number=customer.vat_number,
        company_name=customer.company_name,
        company_billing_address=customer.company_billing_address,
        company_delivery_address=customer.company_delivery_address,
        customer_erased=customer.erased,
        payment_method=payment.payment_method,
        payment_system_name=payment.payment_system_name,
        card_type=payment.card_type,
        card_last_4=payment.card_last_4,
        card_expiration_date=payment.card_expiration_date,
        payment_provider=payment.provider,
        payment_reference=payment.reference,
        additional_parameters=_pairs(order.additional_data),
        delivered=_is_delivered(order),
        active_subscription=True in renewals,
        cancelled_subscription=False in renewals,
        source_updated_at=_text(order.updated_at),
        source_digest=content_hash,
    )


def _shown_renewals(order: OrderDocument) -> list[bool]:
    """Whether each subscription renews that the order shows (the rule of services/order_actions/subscriptions.py)."""
    return [
        item.subscription.status != SubscriptionStatus.CANCELLED
        for item in order.items
        if item.subscription is not None
        and item.subscription.type in SUBSCRIPTION_TYPES
        and (order.pay_date is not None or item.subscription.parent_order_id not in (None, order.order_id))
    ]


def _is_delivered(order: OrderDocument) -> bool:
    """There is nothing to deliver in a discount or a return, unless the order consists of nothing else."""
    sold = [item.delivered for item in order.items if item.amount >= 0]
    return all(sold or [item.delivered for item in order.items])


def _item(index: int, item: ItemData, said_at: str | None, *, said_alone: bool) -> ItemRow:
    user = item.license_user
    return ItemRow(
        item=index,
        item_id=item.item_id if item.has_own_id else None,
        product_id=item.product_id,
        sku=item.sku,
        name=item.name,
        price=str(item.price),
        quantity=item.quantity,
        discount_percent=_text(item.discount_percent),
        discount_amount=_text(item.discount_amount),
        vat_amount=_text(item.vat_amount),
        amount=str(item.amount),
        delivery=_text(item.delivery),
        delivered=item.delivered,
        refunded=item.refunded,
        license_first_name=user.first_name if user else None,
        license_last_name=user.last_name if user else None,
        license_email=user.email if user else None,
        license_erased=user is not None and user.erased,
        additional_data=_pairs(item.additional_fields),
        said_at=said_at,
        said_alone=said_alone,
    )


def _subscription(index: int, subscription: SubscriptionData) -> SubscriptionRow:
    status = str(subscription.status)
    return SubscriptionRow(
        item=index,
        subscription_id=subscription.id,
        type=subscription.type,
        said_status=status,
        status=status,
        parent_order_id=subscription.parent_order_id,
        period=subscription.period,
        next_renewal_at=_text(subscription.next_renewal_date),
    )


def _event(number: int, event: HistoryEvent, documents: tuple[DocumentData, ...]) -> HistoryRow:
    name = kind = None
    if event.kind is HistoryKind.DOCUMENT and (document := _named_document(event.text, documents)):
        name, kind = document.name, str(document.kind)
    return HistoryRow(number, str(event.date), str(event.kind), event.text, name, kind)


def _named_document(text: str, documents: tuple[DocumentData, ...]) -> DocumentData | None:
    """The document that a line about documents names; the longest name when one is part of another."""
    named = [document for document in documents if document.name in text]
    return max(named, key=lambda document: len(document.name), default=None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _pairs(pairs: tuple[NameValue, ...]) -> str:
    """A JSON array of objects."""
    if not pairs:
        return "[]"
    return _encode([{"name": pair.name, "value": pair.value} for pair in pairs])
