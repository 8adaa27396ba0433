"""The orders of the pretend shop: order documents, made and changed as a shop would."""

import random
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

# An order document, as docs/order-document.md describes it. Any: JSON.
Document = dict[str, Any]

PRODUCTS: Final = (
    ("Antivirus", "AV-1", "29.00"),
    ("Backup", "BK-1", "49.00"),
    ("Password manager", "PM-1", "19.00"),
)
PEOPLE: Final = (
    ("Inês", "Araújo", "PT", "ines.araujo@example.com"),
    ("Jürgen", "Köhler", "DE", "j.koehler@example.com"),
    ("Zoë", "O'Neill", "IE", "zoe@example.com"),
)
_FIRST_ID: Final = 900_000_001
_YEAR: Final = timedelta(days=365)
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def now_text() -> str:
    """This moment as documents spell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def place_order(orders: Sequence[Document], store: str) -> Document:
    """A new order that is not paid, of a random person for a random product."""
    name, sku, price = random.choice(PRODUCTS)
    first_name, last_name, country, email = random.choice(PEOPLE)
    order_id = max((order["order_id"] for order in orders), default=_FIRST_ID - 1) + 1
    return {
        "order_id": order_id,
        "order_name": f"#{order_id - _FIRST_ID + 1001}",
        "checkout_page": store,
        "status": "not paid",
        "create_date": now_text(),
        "updated_at": now_text(),
        "currency": "EUR",
        "customer": {
            "type": "physical",
            "country": country,
            "email": email,
            "first_name": first_name,
            "last_name": last_name,
        },
        "items": [
            {
                "item_id": "1",
                "sku": sku,
                "name": name,
                "price": price,
                "quantity": 1,
                "amount": price,
                "delivery": "electronic",
                "delivered": False,
                "subscription": {"id": f"{order_id}_1", "type": "AR", "status": "not paid", "period": "P1Y"},
            }
        ],
    }


def pay(order: Document) -> None:
    """The order is paid by card and delivered; its subscription renews in a year."""
    order |= {"status": "paid", "pay_date": now_text(), "updated_at": now_text()}
    order["payment"] = {
        "provider": "pretend",
        "reference": f"pay_{order['order_id']}",
        "payment_method": "CreditCard",
        "card_type": "Visa",
        "card_last_4": "4242",
    }
    [item] = order["items"]
    item |= {"delivered": True, "activation_codes": [{"code": new_code()}]}
    item["subscription"] |= {"status": "active", "next_renewal_date": _next_renewal()}


def new_code() -> str:
    """An activation code that nobody has."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def replace_code(order: Document, old: str, new: str) -> None:
    """Mark the old code deleted wherever the order has it, and add the new one there."""
    for item in order["items"]:
        codes = item.get("activation_codes", [])
        if any(code["code"] == old for code in codes):
            item["activation_codes"] = [
                *(code | ({"deleted": True} if code["code"] == old else {}) for code in codes),
                {"code": new},
            ]
    order["updated_at"] = now_text()


def renew(orders: Sequence[Document], order: Document) -> Document:
    """The paid order by which the subscription of `order` goes on for another year."""
    [item] = order["items"]
    child = place_order(orders, order["checkout_page"])
    child["customer"] = dict(order["customer"])
    child["items"] = [item | {"subscription": item["subscription"] | {"parent_order_id": parent_of(order)}}]
    child["related_orders"] = [{"order_id": parent_of(order), "relation": "parent"}]
    pay(child)
    return child


def parent_of(order: Document) -> int:
    """The order that the subscription began with."""
    return int(order["items"][0]["subscription"].get("parent_order_id", order["order_id"]))


def set_renewal(orders: Sequence[Document], subscription_id: str, *, active: bool) -> list[Document]:
    """Stop or resume a subscription in all orders that carry it; these orders."""
    changed = [order for order in orders if order["items"][0]["subscription"]["id"] == subscription_id]
    for order in changed:
        order["updated_at"] = now_text()
        order["items"][0]["subscription"]["status"] = "active" if active else "cancelled"
    return changed


def refund(order: Document) -> None:
    """The money has gone back, all of it."""
    order |= {"status": "deleted", "updated_at": now_text()}
    order["items"][0]["refunded"] = True


def _next_renewal() -> str:
    return (datetime.now(UTC) + _YEAR).isoformat(timespec="seconds")
