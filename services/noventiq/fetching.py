"""The order that a message hints at, as Noventiq's API returns it.

The vendor's answer to `GET /v1/order/{id}` is relied upon only in the fields that its webhooks have as well: those of
the order, the customer and the payment as a whole, and those of a product where products are listed under `products` or
`product`. Whatever else is in it is not looked at. What it does not say is the message's: the customer, the payment,
and the product where no products are listed that can be read as a message's can.
"""

from dataclasses import dataclass
from datetime import datetime

from services.connections.incoming import WrongMessage
from services.importing.refusals import JsonObject as Document
from services.noventiq.api import NotAtVendor, NoventiqApi, is_subscription_id
from services.noventiq.json_values import Json, JsonObject
from services.noventiq.messages import (
    Notice,
    SubscriptionNotice,
    check,
    item_of,
    order_part,
    read_subscription,
)
from services.noventiq.progress import Saying


@dataclass(frozen=True, slots=True)
class _Product:
    item: Document
    subscription: SubscriptionNotice | None


def fetch_sayings(api: NoventiqApi, notice: Notice, store: str, now: datetime) -> list[Saying]:
    """The order as the vendor has it now, a saying per product; that of the event's own product names the event.

    Raises `ApiError`, and `WrongMessage` for an answer that an import would refuse.
    """
    answer = api.get_order(notice.order_id)
    document = _order(order_part(answer), notice.document)
    if document["order_id"] != notice.order_id:
        raise WrongMessage("order_id", "Noventiq's API answered with another order.")
    told = _Product(notice.item, notice.subscription)
    products = _products(answer)
    if not any(_is_same(product, told) for product in products):
        products.append(told)
    sayings = []
    for product in products:
        is_own = _is_same(product, told)
        current = _with_event(product, told) if is_own else product
        saying = Saying(
            notice.event if is_own else "",
            document | {"items": [current.item]},
            now,
            _with_details(api, current.subscription),
            is_believed=True,
        )
        check(saying.document, store)
        sayings.append(saying)
    return sayings


def _order(fetched: Document, told: Document) -> Document:
    parts = {name: fetched[name] or told[name] for name in ("customer", "payment")}
    return {key: value for key, value in told.items() if key not in ("items", "pay_date")} | fetched | parts


def _with_event(product: _Product, told: _Product) -> _Product:
    """The event's product as the API returns it, together with the meaning of the event."""
    flags = {key: told.item[key] for key in ("delivered", "refunded") if key in told.item}
    return _Product(product.item | flags, product.subscription or told.subscription)


def _is_same(product: _Product, told: _Product) -> bool:
    names = ("product_id", "sku", "name")
    return all(product.item.get(name) == told.item.get(name) for name in names)


def _products(answer: JsonObject) -> list[_Product]:
    """The products of an answer; none when one of them cannot be read."""
    listed: Json = answer.get("products") or answer.get("product")
    entries = listed if isinstance(listed, list) else [listed]
    try:
        return [
            _Product(item_of(entry, "product."), read_subscription(entry.get("subscription")))
            for entry in entries
            if isinstance(entry, dict)
        ]
    except WrongMessage:
        return []


def _with_details(api: NoventiqApi, said: SubscriptionNotice | None) -> SubscriptionNotice | None:
    """Type and status as the vendor has them now."""
    if said is None or not is_subscription_id(said.id):
        return said
    try:
        details = read_subscription(api.get_subscription(said.id))
    except NotAtVendor:
        return said
    return details if details is not None and details.id == said.id else said
