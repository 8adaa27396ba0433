"""An order as it is here, in the form of an order document: what a message does not say stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from db.schema.order_tables import activation_code, order_item, orders, subscription
from db.schema.statuses import MainStatus
from services.importing.item_matching import DocumentItem, StoredItem, match_item
from services.importing.refusals import JsonObject as Document

# Columns of an order and the names that they have in an order document.
_ORDER: Final = {
    "order_name": "order_name",
    "order_id_1c": "order_id_1c",
    "status": "status",
    "created_at": "create_date",
    "paid_at": "pay_date",
    "currency": "currency",
    "locale": "locale",
    "detail_url": "order_detail_url",
}
_CUSTOMER: Final = {
    "customer_type": "type",
    "country": "country",
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "vat_number": "vat_number",
    "company_name": "company_name",
    "company_billing_address": "company_billing_address",
    "company_delivery_address": "company_delivery_address",
    "customer_erased": "erased",
}
_PAYMENT: Final = {
    "payment_provider": "provider",
    "payment_reference": "reference",
    "payment_method": "payment_method",
    "payment_system_name": "payment_system_name",
    "card_type": "card_type",
    "card_last_4": "card_last_4",
    "card_expiration_date": "card_expiration_date",
}
_ITEM: Final = (
    *("item_id", "product_id", "sku", "name", "price", "quantity", "discount_percent", "discount_amount"),
    *("vat_amount", "amount", "delivery", "delivered", "refunded"),
)
_LICENCE: Final = {
    "license_first_name": "first_name",
    "license_last_name": "last_name",
    "license_email": "email",
    "license_erased": "erased",
}
_SUBSCRIPTION: Final = {
    "subscription_id": "id",
    "type": "type",
    "status": "status",
    "parent_order_id": "parent_order_id",
    "period": "period",
    "next_renewal_at": "next_renewal_date",
}


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """An item of a stored order. `said_at` is the time of the document that said last what it is."""

    position: int
    document: Document
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """A stored order. `document` is an order document without items; `said_at` the time of its latest document."""

    store_id: int
    status: MainStatus
    total: Decimal
    said_at: datetime | None
    document: Document
    items: tuple[StoredProduct, ...]

    def match(self, item: Document) -> StoredProduct | None:
        """The item that a merge would take this item of a document for."""
        sent = _document_item(item)
        stored = [_stored_item(product) for product in self.items]
        # A new item would have position 0, which none has.
        position = match_item(stored, sent, last_position=lambda: -1).positions[0]
        return next((product for product in self.items if product.position == position), None)


def find_order(connection: Connection, order_id: int) -> StoredOrder | None:
    """The order as it is; under its lock, until the transaction ends. None when it is not here yet."""
    row = connection.execute(select(orders).where(orders.c.order_id == order_id)).mappings().one_or_none()
    if row is None:
        return None
    document = _named(row, _ORDER) | {
        "order_id": order_id,
        "customer": _named(row, _CUSTOMER),
        "payment": _named(row, _PAYMENT),
    }
    return StoredOrder(
        row["checkout_page_id"],
        MainStatus(row["status"]),
        row["total"],
        row["source_updated_at"],
        document,
        _find_items(connection, order_id),
    )


def _find_items(connection: Connection, order_id: int) -> tuple[StoredProduct, ...]:
    items = connection.execute(
        select(order_item).where(order_item.c.order_id == order_id).order_by(order_item.c.position)
    ).mappings()
    codes: dict[int, list[Document]] = {}
    for row in connection.execute(
        select(activation_code.c.position, activation_code.c.code, activation_code.c.deleted)
        .where(activation_code.c.order_id == order_id)
        .order_by(activation_code.c.position, activation_code.c.number)
    ):
        codes.setdefault(row.position, []).append({"code": row.code, "deleted": row.deleted})
    subscriptions = {
        row["position"]: _named(row, _SUBSCRIPTION)
        for row in connection.execute(
            select(subscription).where(subscription.c.order_id == order_id)
        ).mappings()
    }
    return tuple(_product(row, codes, subscriptions) for row in items)


def _product(
    row: RowMapping, codes: Mapping[int, list[Document]], subscriptions: Mapping[int, Document]
) -> StoredProduct:
    position: int = row["position"]
    document = _named(row, {name: name for name in _ITEM})
    if licence := {key: value for key, value in _named(row, _LICENCE).items() if value}:
        document["license_user"] = licence
    if position in codes:
        document["activation_codes"] = codes[position]
    if row["additional_data"]:
        document["additional_fields"] = row["additional_data"]
    if position in subscriptions:
        document["subscription"] = subscriptions[position]
    return StoredProduct(position, document, row["said_at"])


def _named(row: RowMapping, names: Mapping[str, str]) -> Document:
    """These columns under the names of an order document, without those that are NULL."""
    values = {name: _json_value(row[column]) for column, name in names.items()}
    return {name: value for name, value in values.items() if value is not None}


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _document_item(item: Document) -> DocumentItem:
    return DocumentItem(
        item_id=item.get("item_id"),
        product_id=item.get("product_id"),
        sku=item.get("sku"),
        name=item["name"],
        price=Decimal(item["price"]),
        quantity=item["quantity"],
        amount=Decimal(item["amount"]),
        refunded=bool(item.get("refunded")),
        codes=tuple(code["code"] for code in item.get("activation_codes", ())),
    )


def _stored_item(product: StoredProduct) -> StoredItem:
    item = _document_item(product.document)
    return StoredItem(
        item_id=item.item_id,
        product_id=item.product_id,
        sku=item.sku,
        name=item.name,
        price=item.price,
        quantity=item.quantity,
        amount=item.amount,
        refunded=item.refunded,
        codes=item.codes,
        position=product.position,
        # Whether the portal refunded it matters for a whole document alone, where an item may be gone.
        refunded_here=False,
    )
