"""An order after news of Noventiq's about one of its products: the newer word counts, and some things
only go forward.

Messages come in any order, twice, and with a time that no signature covers. So a status goes from *not paid* by *paid*
to *deleted* and never back, and what was delivered or refunded stays so, whichever message comes last. The other fields
are those of the latest message. An order read from the API is believed: its status counts as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from db.schema.statuses import MainStatus, SubscriptionStatus
from services.importing.refusals import JsonObject as Document
from services.noventiq.messages import NoventiqEvent, SubscriptionNotice
from services.noventiq.stored_orders import StoredOrder, StoredProduct

# "Terminated" is technical, and none of the vendor's words: whatever it says, such an order stays as it is.
_RANK: Final = {
    status: rank
    for rank, status in enumerate(
        (MainStatus.NOT_PAID, MainStatus.PAID, MainStatus.DELETED, MainStatus.TERMINATED)
    )
}
# What an item has that no message of the vendor's has.
_OF_ITEM_ONLY_HERE: Final = ("item_id", "delivery", "license_user", "activation_codes", "additional_fields")
_OF_ORDER_ONLY_HERE: Final = ("order_id_1c", "pay_date", "locale", "order_detail_url")
_OF_PAYMENT_ONLY_HERE: Final = ("provider", "reference")
_UNKNOWN_TYPE: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Saying:
    """News of a product and its order. `document` has this one item; `said_at` is when it was true.

    `is_believed`: it was read from the API. `subscription` None: nothing is said of one.
    """

    event: str
    document: Document
    said_at: datetime
    subscription: SubscriptionNotice | None = None
    is_believed: bool = False

    @property
    def item(self) -> Document:
        item: Document = self.document["items"][0]
        return item


def merged(saying: Saying, stored: StoredOrder | None) -> Document:
    """The order document with one item that says what is true now."""
    product = None if stored is None else stored.match(saying.item)
    document = _order(saying, stored)
    item = _item(saying, product)
    if (renewal := _subscription(saying, product, document)) is not None:
        item["subscription"] = renewal
    document["items"] = [item]
    if stored is not None:
        total = stored.total + Decimal(item["amount"])
        total -= Decimal(product.document["amount"]) if product else 0
        if total >= 0:
            document["total"] = f"{total:f}"
    return document


def _order(saying: Saying, stored: StoredOrder | None) -> Document:
    said = {key: value for key, value in saying.document.items() if key != "items"}
    if stored is None:
        return said | {"updated_at": saying.said_at.isoformat()}
    is_older = stored.said_at is not None and saying.said_at < stored.said_at
    document = dict(stored.document if is_older else said)
    for key in _OF_ORDER_ONLY_HERE:
        if key not in document and key in (other := said if is_older else stored.document):
            document[key] = other[key]
    payment = dict(document["payment"])
    for key in _OF_PAYMENT_ONLY_HERE:
        if key in stored.document["payment"]:
            payment[key] = stored.document["payment"][key]
    status = MainStatus(said["status"])
    if not saying.is_believed or stored.status is MainStatus.TERMINATED:
        status = max(status, stored.status, key=lambda status: _RANK[status])
    return document | {
        "checkout_page": said["checkout_page"],
        "payment": payment,
        "status": status.value,
        "updated_at": max(saying.said_at, stored.said_at or saying.said_at).isoformat(),
    }


def _item(saying: Saying, product: StoredProduct | None) -> Document:
    if product is None:
        return dict(saying.item)
    here = product.document
    is_older = product.said_at is not None and saying.said_at < product.said_at
    item = dict(here if is_older else saying.item)
    item.pop("subscription", None)
    for key in _OF_ITEM_ONLY_HERE:
        if key in here:
            item[key] = here[key]
    for key in ("delivered", "refunded"):
        item[key] = bool(here.get(key)) or bool(saying.item.get(key))
    return item


def _subscription(saying: Saying, product: StoredProduct | None, document: Document) -> Document | None:
    here: Document | None = product.document.get("subscription") if product else None
    said = saying.subscription
    if said is None or (here is not None and here["id"] != said.id and said.type is None):
        return here
    before: Mapping[str, object] = here if here is not None and here["id"] == said.id else {}
    parent = _parent(said.id, document["order_id"])
    return {
        **before,
        "id": said.id,
        "type": said.type or before.get("type") or _UNKNOWN_TYPE,
        "status": _subscription_status(saying, before.get("status"), document["status"]).value,
        **({} if parent is None else {"parent_order_id": parent}),
    }


def _subscription_status(saying: Saying, before: object, order_status: str) -> SubscriptionStatus:
    """The status as stated; else by the event's meaning; else as it was; else by the order's status.

    So a message that does not speak of the status leaves what was decided here.
    """
    if saying.subscription is not None and saying.subscription.status is not None:
        return saying.subscription.status
    if saying.event == NoventiqEvent.SUBSCRIPTION_CANCELLED:
        return SubscriptionStatus.CANCELLED
    is_paid = order_status == MainStatus.PAID
    if saying.event == NoventiqEvent.SUBSCRIPTION_RESTORED:
        return SubscriptionStatus.ACTIVE if is_paid else SubscriptionStatus.NOT_PAID
    if before in (SubscriptionStatus.CANCELLED, SubscriptionStatus.ACTIVE):
        return SubscriptionStatus(str(before))
    return SubscriptionStatus.ACTIVE if is_paid else SubscriptionStatus.NOT_PAID


def _parent(subscription_id: str, order_id: int) -> int | None:
    """The parent order that the ID names (`NN_MM`), for an order that is a child of it."""
    first, separator, _ = subscription_id.partition("_")
    is_number = separator and first.isascii() and first.isdigit() and len(first) < 19
    parent = int(first) if is_number else 0
    return parent if parent not in (0, order_id) else None


def at_most_now(said_at: datetime, received_at: datetime) -> datetime:
    """The time of a message, which no signature covers: one in the future would set aside all that comes later."""
    return min(said_at, received_at.astimezone(UTC))
