"""Noventiq's webhooks, one per product of an order: read, checked, and turned into an order document with one item.

The format is the vendor's (docs/noventiq.md): strings for numbers, "" for what is absent, times with their offset.
Fields that an order document has no place for (margin, business segment, installments …) are left out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from db.schema.statuses import MainStatus, SubscriptionStatus
from services.connections.documents import check_document
from services.connections.incoming import WrongMessage
from services.importing.refusals import JsonObject as Document
from services.noventiq.json_values import Json, JsonObject, is_text, load, part

_LONGEST_EVENT: Final = 100
_LONGEST_ID: Final = 200
_MAX_ID: Final = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 1970, 2200

ORDER_STATUS: Final = {
    "not paid": MainStatus.NOT_PAID,
    "not_paid": MainStatus.NOT_PAID,
    "paid": MainStatus.PAID,
    "deleted": MainStatus.DELETED,
}
SUBSCRIPTION_STATUS: Final = {
    "active": SubscriptionStatus.ACTIVE,
    "not paid": SubscriptionStatus.NOT_PAID,
    "not_paid": SubscriptionStatus.NOT_PAID,
    "cancelled": SubscriptionStatus.CANCELLED,
}
_ORDER_TEXTS: Final = ("order_name", "create_date", "pay_date", "currency", "locale", "order_detail_url")
_CUSTOMER_TEXTS: Final = (
    *("type", "country", "email", "first_name", "last_name", "phone", "vat_number"),
    *("company_name", "company_billing_address", "company_delivery_address"),
)
_PAYMENT_TEXTS: Final = (
    *("payment_method", "payment_system_name", "card_type", "card_last_4", "card_expiration_date"),
)
_PRODUCT_TEXTS: Final = (
    *("sku", "name", "price", "discount_percent", "discount_amount", "vat_amount", "amount"),
)


class NoventiqEvent(StrEnum):
    """The types of Noventiq's events that have an effect; others are accepted, ignored and shown."""

    ORDER_CREATED = "order.created"
    PAYMENT_SUCCEEDED = "order.payment.succeeded"
    PAYMENT_FAILED = "order.payment.failed"
    PRODUCT_DELIVERED = "product.delivered"
    PRODUCT_RETURNED = "product.returned"
    SUBSCRIPTION_CANCELLED = "subscription.cancelled"
    SUBSCRIPTION_RESTORED = "subscription.restored"
    RENEWAL_OFFER_ACCEPTED = "subscription.renewal_offer_order_accepted"
    RENEWAL_OFFER_CANCELLED = "subscription.renewal_offer_order_cancelled"


KNOWN_EVENTS: Final = frozenset(NoventiqEvent)


@dataclass(frozen=True, slots=True)
class SubscriptionNotice:
    """A subscription as a message or the API describes it. `type` and `status` are None when it says nothing."""

    id: str
    type: str | None
    status: SubscriptionStatus | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about a product of an order. `document` is an order document with that product as its only item.

    `document` has no subscription: what a message says of it needs what is stored to be whole.
    """

    event: str
    occurred_at: datetime
    order_id: int
    document: Document
    subscription: SubscriptionNotice | None

    @property
    def item(self) -> Document:
        item: Document = self.document["items"][0]
        return item


def read_event(body: bytes) -> tuple[str, JsonObject]:
    """The name of the event and the message; raises `WrongMessage`."""
    message = load(body)
    if message is None:
        raise WrongMessage(None, "The body is not a JSON object in UTF-8.")
    event = message.get("event")
    if not is_text(event) or not 0 < len(event) <= _LONGEST_EVENT or not event.isprintable():
        raise WrongMessage("event", f"A text of 1 to {_LONGEST_EVENT} characters is expected.")
    return event, message


def read_notice(body: bytes, store: str) -> Notice:
    """The message, checked as an import checks a document; raises `WrongMessage` with the path of the vendor's field.

    `store` is the technical name of the connection's store: a message has none.
    """
    event, message = read_event(body)
    product = message.get("product")
    if not isinstance(product, dict):
        raise WrongMessage("product", "An object is expected.")
    document = order_part(message) | {"checkout_page": store, "items": [item_of(product, "product.")]}
    occurred_at = _time(message, "event_date")
    _complete(document, event, message)
    check(document, store)
    return Notice(
        event, occurred_at, document["order_id"], document, read_subscription(message.get("subscription"))
    )


def order_part(message: JsonObject) -> Document:
    """The order as a whole, as a message or the API describes it. Raises `WrongMessage`."""
    document: Document = {"order_id": read_order_id(message)}
    document |= _texts(message, _ORDER_TEXTS, "")
    status = message.get("status")
    if not is_text(status) or status not in ORDER_STATUS:
        raise WrongMessage("status", "One of “not paid”, “paid” and “deleted” is expected.")
    document["status"] = ORDER_STATUS[status].value
    document["customer"] = _texts(part(message, "customer"), _CUSTOMER_TEXTS, "customer.")
    document["payment"] = _texts(part(message, "payment"), _PAYMENT_TEXTS, "payment.")
    return document


def item_of(product: JsonObject, where: str) -> Document:
    """A product as an item of an order document; raises `WrongMessage`."""
    item = _texts(product, _PRODUCT_TEXTS, where)
    if (product_id := _text(product, "id", where)) is not None:
        item["product_id"] = product_id
    item["quantity"] = _whole(product, "quantity", where)
    return item


def check(document: Document, store: str) -> None:
    """Raise `WrongMessage` for what an import would refuse, with the vendor's name of the field."""
    try:
        check_document(document, store)
    except WrongMessage as error:
        raise WrongMessage(vendor_field(error.field), error.reason) from None


def read_order_id(message: JsonObject) -> int:
    value = message.get("order_id")
    digits = str(value) if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and 0 < int(digits) <= _MAX_ID):
        raise WrongMessage("order_id", "The number of an order is expected.")
    return int(digits)


def read_subscription(source: Json | None) -> SubscriptionNotice | None:
    """The subscription in a message; None when its ID is missing."""
    if not isinstance(source, dict):
        return None
    identifier, kind, status = source.get("id"), source.get("type"), source.get("status")
    if (
        not isinstance(identifier, str)
        or not 0 < len(identifier) <= _LONGEST_ID
        or not identifier.isprintable()
    ):
        return None
    return SubscriptionNotice(
        str(identifier),
        kind if is_text(kind) and 0 < len(kind) <= 64 and kind.isprintable() else None,
        SUBSCRIPTION_STATUS.get(status) if is_text(status) else None,
    )


def _complete(document: Document, event: str, message: JsonObject) -> None:
    """The meaning of the event itself, beside its fields."""
    if event == NoventiqEvent.PAYMENT_SUCCEEDED:
        if document["status"] == MainStatus.NOT_PAID:
            document["status"] = MainStatus.PAID.value
        document.setdefault("pay_date", message.get("event_date"))
    item: Document = document["items"][0]
    if event == NoventiqEvent.PRODUCT_DELIVERED:
        item["delivered"] = True
    if event == NoventiqEvent.PRODUCT_RETURNED:
        item["refunded"] = True


def _texts(source: JsonObject, keys: tuple[str, ...], where: str) -> Document:
    """The texts under these keys; those that are absent, null or "" are left out."""
    texts = ((key, _text(source, key, where)) for key in keys)
    return {key: text for key, text in texts if text is not None}


def _text(source: JsonObject, key: str, where: str) -> str | None:
    value = source.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise WrongMessage(where + key, "A text is expected.")
    return str(value)


def _whole(source: JsonObject, key: str, where: str) -> int:
    value = source.get(key)
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
        raise WrongMessage(where + key, "A whole number is expected.")
    return int(value)


def _time(message: JsonObject, key: str) -> datetime:
    problem = WrongMessage(key, "A time with its offset such as 2026-01-31T09:30:00+00:00 is expected.")
    value = message.get(key)
    if not is_text(value) or len(value) > 40:
        raise problem
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None or not _FIRST_YEAR <= time.year <= _LAST_YEAR:
            raise problem
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise problem from None


def vendor_field(field: str | None) -> str | None:
    """The path of a field of an order document as the vendor's messages name it."""
    if field is None:
        return None
    own = field.removeprefix("data.").replace("items[0].product_id", "product.id")
    return own.replace("items[0].", "product.")
