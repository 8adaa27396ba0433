"""An order as its customer sees it, for anybody who has its unguessable address."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from services.errors import NotFound
from services.orders.documents import Document
from services.text.numbers import is_bigint


class CustomerPageNotFound(NotFound):
    """The same error for a wrong address and for an order whose customer's data was erased."""

    message = "This page does not exist, or not any more."


@dataclass(frozen=True, slots=True)
class CustomerItem:
    position: int
    name: str
    quantity: int
    amount: Decimal
    delivered: bool
    refunded: bool
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerOrder:
    """An item as the customer may see it: codes only while the order is paid, deleted ones never."""

    order_name: str
    status: str
    delivered: bool
    refund_status: str | None
    created_at: datetime
    paid_at: datetime | None
    currency: str
    total: Decimal
    time_zone: str | None  # the store's own, or None
    items: tuple[CustomerItem, ...]
    documents: tuple[tuple[int, str], ...]


def get_customer_order(connection: Connection, page_key: str) -> CustomerOrder:
    """The order behind an address; no viewer is needed, and none is asked for. Raises `CustomerPageNotFound`."""
    # Any: JSON that the function in the database makes, with a fixed type for each name.
    row: dict[str, Any] | None = connection.execute(
        text("SELECT customer_order(:key)"), {"key": _key(page_key)}
    ).scalar_one()
    if row is None:
        raise CustomerPageNotFound
    return CustomerOrder(
        order_name=row["order_name"],
        status=row["status"],
        delivered=row["delivered"],
        refund_status=row["refund_status"],
        created_at=datetime.fromisoformat(row["created_at"]),
        paid_at=datetime.fromisoformat(row["paid_at"]) if row["paid_at"] else None,
        currency=row["currency"],
        total=Decimal(row["total"]),
        time_zone=row["time_zone"],
        items=tuple(
            CustomerItem(
                position=item["position"],
                name=item["name"],
                quantity=item["quantity"],
                amount=Decimal(item["amount"]),
                delivered=item["delivered"],
                refunded=item["refunded"],
                codes=tuple(item["codes"]),
            )
            for item in row["items"] or ()
        ),
        documents=tuple((d["id"], d["name"]) for d in row["documents"]),
    )


def get_customer_document(connection: Connection, page_key: str, document_id: int) -> Document:
    """A document of the order behind an address. Raises `CustomerPageNotFound`."""
    row = None
    if is_bigint(document_id):
        row = connection.execute(
            text("SELECT * FROM customer_document(:key, :document)"),
            {"key": _key(page_key), "document": document_id},
        ).one_or_none()
    if row is None:
        raise CustomerPageNotFound
    return Document(row.name, row.media_type, bytes(row.content))


def _key(page_key: str) -> UUID:
    try:
        return UUID(page_key)
    except ValueError as error:
        raise CustomerPageNotFound from error
