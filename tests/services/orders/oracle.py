"""A second implementation of the search that says which orders must be found."""

import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from tests.services.orders.oracle_orders import DOMAIN, REASONS
from tests.support.factories import Document

BERLIN = ZoneInfo("Europe/Berlin")


def fold(value: str | None) -> str | None:
    if value is None:
        return None
    folded = (
        unicodedata.normalize("NFC", value)
        .upper()
        .lower()
        .replace("i̇", "i")
        .replace("ß", "ss")
        .replace("ς", "σ")
    )
    return folded.strip() or None


def digits(value: str | None) -> str | None:
    return "".join(str(unicodedata.decimal(c)) for c in value or "" if c.isdecimal()) or None


Oracle = Callable[[Document, dict[int, str]], bool]


def has_day(value: str | None, start: date | None, end: date | None) -> bool:
    if value is None:
        return False
    day = datetime.fromisoformat(value).astimezone(BERLIN).date()
    return (start or date.min) <= day <= (end or start or date.max)


def shown_subscriptions(order: Document) -> list[bool]:
    """Whether each subscription that the order shows is activated."""
    return [
        subscription["status"] != "cancelled"
        for line in order["items"]
        if (subscription := line.get("subscription")) is not None
        and subscription["type"] in ("AR", "PMR")
        and (order["pay_date"] or subscription["parent_order_id"])
    ]


def personal(field: str, wanted: str) -> Oracle:
    return lambda order, _: fold(order["customer"].get(field)) == fold(wanted) and fold(wanted) is not None


def has_product(wanted: str) -> Oracle:
    return lambda order, _: any(
        fold(line.get(name)) == wanted for line in order["items"] for name in ("name", "sku", "product_id")
    )


def has_total(currency: str, lowest: str, highest: str) -> Oracle:
    return lambda order, _: (
        order["currency"] == currency and Decimal(lowest) <= Decimal(order["total"]) <= Decimal(highest)
    )


def is_delivered(order: Document) -> bool:
    return all(line["delivered"] for line in order["items"])


# One filled field each: (what is typed, the rule worked out by hand).
FIELDS: dict[str, tuple[dict[str, Any], Oracle]] = {
    "created one day": (
        {"created_from": date(2026, 3, 29)},
        lambda o, _: has_day(o["create_date"], date(2026, 3, 29), None),
    ),
    "created up to": (
        {"created_to": date(2026, 3, 27)},
        lambda o, _: has_day(o["create_date"], None, date(2026, 3, 27)),
    ),
    "created from to": (
        {"created_from": date(2026, 3, 28), "created_to": date(2026, 3, 29)},
        lambda o, _: has_day(o["create_date"], date(2026, 3, 28), date(2026, 3, 29)),
    ),
    "paid from to": (
        {"paid_from": date(2026, 3, 28), "paid_to": date(2026, 3, 28)},
        lambda o, _: has_day(o["pay_date"], date(2026, 3, 28), date(2026, 3, 28)),
    ),
    "main status": (
        {"statuses": frozenset({MainStatus.NOT_PAID, MainStatus.DELETED})},
        lambda o, _: o["status"] in ("not paid", "deleted"),
    ),
    "delivered": ({"delivery": frozenset({DeliveryStatus.DELIVERED})}, lambda o, _: is_delivered(o)),
    "not delivered": ({"delivery": frozenset({DeliveryStatus.NOT_DELIVERED})}, lambda o, _: not is_delivered(o)),
    "refund": (
        {"refunds": frozenset({RefundStatus.REQUESTED, RefundStatus.REFUSED})},
        lambda o, r: r.get(o["order_id"]) in ("requested", "refused"),
    ),
    "ids": (
        {"order_ids": "A0000001003; 1010\n1390 ,007777"},
        lambda o, _: o["order_id"] in (1003, 1010, 1390),
    ),
    "phone": ({"phone": "8-905-123-45-67"}, lambda o, _: digits(o["customer"].get("phone")) == "89051234567"),
    "part of a phone": ({"phone": "8 (905)"}, lambda o, _: digits(o["customer"].get("phone")) == "8905"),
    "first name": ({"first_name": " anna\u00a0"}, personal("first_name", "anna")),
    "first name sigma": ({"first_name": "σίσυφος"}, personal("first_name", "ΣΊΣΥΦΟΣ")),
    "first name sharp s": ({"first_name": "strasse"}, personal("first_name", "Straße")),
    "first name cyrillic": ({"first_name": "ЮЛИЯ"}, personal("first_name", "юлия")),
    "first name wildcard": ({"first_name": "_nna"}, personal("first_name", "_nna")),
    "last name two ways": ({"last_name": "MÜLLER"}, personal("last_name", "Müller")),
    "last name formula": ({"last_name": "=1+1"}, personal("last_name", "=1+1")),
    "email": ({"email": f"USER7@{DOMAIN}"}, personal("email", f"user7@{DOMAIN}")),
    "company": ({"company": "ärzte gmbh"}, personal("company_name", "Ärzte GmbH")),
    "vat": ({"vat_number": "de 1"}, personal("vat_number", "DE 1")),
    "card": (
        {"card_last_4": " 0042 "},
        lambda o, _: not o["customer"].get("erased") and o["payment"]["card_last_4"] == "0042",
    ),
    "code": ({"activation_code": "aa-1"}, lambda o, _: "aa-1" in " ".join(codes(o))),
    "code wildcards": ({"activation_code": "%-_"}, lambda o, _: "%-_" in " ".join(codes(o))),
    "code backslash": ({"activation_code": "x\\y"}, lambda o, _: "x\\y" in " ".join(codes(o))),
    "store": ({"stores": ("shop-b", "shop-c")}, lambda o, _: o["checkout_page"] == "shop-b"),
    "with subscription": (
        {"subscription": SubscriptionFilter.WITH},
        lambda o, _: bool(shown_subscriptions(o)),
    ),
    "activated": ({"subscription": SubscriptionFilter.ACTIVATED}, lambda o, _: True in shown_subscriptions(o)),
    "payment method": (
        {"payment_method": " visa"},
        lambda o, _: fold(o["payment"]["payment_method"]) == "visa",
    ),
    "payment method umlaut": (
        {"payment_method": "ÜBERWEISUNG"},
        lambda o, _: fold(o["payment"]["payment_method"]) == "überweisung",
    ),
    "payment method wildcard": ({"payment_method": "100%_"}, lambda o, _: o["payment"]["payment_method"] == "100%_"),
    "country": (
        {"country": "germany"},
        lambda o, _: o["customer"]["country"] in ("DE", "de", "DEU", "Germany"),
    ),
    "country of no list": ({"country": "ATLANTIS"}, lambda o, _: o["customer"]["country"] == "Atlantis"),
    "product name": ({"product": "antivirus"}, has_product("antivirus")),
    "product number": ({"product": "77"}, has_product("77")),
    "sku": ({"product": "av-1"}, has_product("av-1")),
    "product cyrillic": ({"product": "ВИРУСЫ"}, has_product("вирусы")),
    "currency": ({"currency": "eur"}, lambda o, _: o["currency"] == "EUR"),
    "one total": (
        {"total_from": "10", "total_to": "10.00", "currency": "EUR"},
        has_total("EUR", "10", "10"),
    ),
    "totals": (
        {"total_from": "9.9990", "total_to": "1,234.50", "currency": "EUR"},
        has_total("EUR", "9.999", "1234.5"),
    ),
    "total from": ({"total_from": "-5.5", "currency": "EUR"}, has_total("EUR", "-5.5", "1e9")),
    "total to": ({"total_to": "0", "currency": "EUR"}, has_total("EUR", "-1e9", "0")),
    "total of thousandths": (
        {"total_from": "1.234", "total_to": "1.234", "currency": "KWD"},
        has_total("KWD", "1.234", "1.234"),
    ),
    "listed reason": (
        {"refund_reason": "duplicate ORDER"},
        lambda o, r: o["order_id"] in r and reason(o["order_id"]).startswith("Duplicate order"),
    ),
    "refund reason": (
        {"refund_reason": "Bought twice"},
        lambda o, r: o["order_id"] in r and fold(reason(o["order_id"])) == "bought twice",
    ),
    "deactivated": ({"subscription": SubscriptionFilter.DEACTIVATED}, lambda o, _: False in shown_subscriptions(o)),
}  # fmt: skip


def reason(order_id: int) -> str:
    """The reason of an order's refund request, if it has one."""
    return REASONS[order_id % len(REASONS)]


def codes(order: Document) -> list[str]:
    return [fold(c["code"]) or "" for line in order["items"] for c in line.get("activation_codes", [])]


def expected(orders: dict[int, Document], refunds: dict[int, str], *rules: Oracle) -> list[int]:
    mine = [o for o in orders.values() if o["checkout_page"] in ("shop-a", "shop-b")]
    matching = [o for o in mine if all(rule(o, refunds) for rule in rules)]
    newest_first = sorted(
        matching, key=lambda o: (datetime.fromisoformat(o["create_date"]), o["order_id"]), reverse=True
    )
    return [o["order_id"] for o in newest_first]
