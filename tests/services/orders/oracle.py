"""Orders of every kind, and a second implementation of the search that says which of them must be found."""

import random
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from tests.support import factories
from tests.support.factories import Document

BERLIN = ZoneInfo("Europe/Berlin")


STORES = ("shop-a", "shop-b", "shop-c")


FIRST_NAMES = (
    "Anna",
    "ANNA",
    "Änne",
    "Straße",
    "STRASSE",
    "İpek",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "Юлия",
    "юлия",
    "100%",
    "_nna",
    None,
)


LAST_NAMES = ("O’Connor", "Müller", "Mu\u0308ller", "  Müller ", "=1+1", "<b>x</b>", None)


PHONES = ("8 (905) 123-45-67", "89051234567", "+49 30 123", "8905", "٠١٢٣٤", None)


CODES = ("AAAA-1234-bbbb", "%%%-___-1", "straße-77", "aaaa-9999", "X\\Y\\Z")


PRODUCTS = (
    {"name": "Antivirus"},
    {"name": "ANTIVIRUS ", "sku": "AV-1"},
    {"name": "Вирусы", "sku": "av-1", "product_id": "77"},
    {"name": "Box", "sku": "77", "product_id": "Antivirus"},
    {"name": "Antivirus 2", "sku": "AV-10", "product_id": "7"},
)


PAYMENT_METHODS = ("Visa", "VISA", "visa ", "Überweisung", "U\u0308berweisung", "100%_", None)


COUNTRIES = ("DE", "de", "Germany", "DEU", "PT", "Atlantis", None)


# Currency and total; several of them differ in what is smaller than the currency's own decimals.
TOTALS = (
    ("EUR", "10"), ("EUR", "10.00"), ("EUR", "10.001"), ("EUR", "9.999"), ("EUR", "1234.50"), ("EUR", "0"),
    ("EUR", "-5.50"), ("EUR", "-5.5004"), ("USD", "10.00"), ("JPY", "1200"), ("KWD", "1.234"),
)  # fmt: skip


REASONS = ("Bought twice", "bought TWICE", " Gefällt nicht", "r")


DOMAIN = "example.com"


NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


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


def make(number: int, rng: random.Random) -> Document:
    # Every hour round the change to summer time in Berlin, so that days of 23 hours matter.
    created = NOW - timedelta(hours=rng.randint(0, 96))
    status = rng.choice(["paid", "paid", "not paid", "deleted", "terminated"])
    erased = rng.random() < 0.1
    country = {"country": rng.choice(COUNTRIES)}
    customer: Document = {"erased": True} | country if erased else country | {
        "email": f"User{rng.randint(1, 40)}@{DOMAIN}",
        "first_name": rng.choice(FIRST_NAMES),
        "last_name": rng.choice(LAST_NAMES),
        "phone": rng.choice(PHONES),
        "company_name": rng.choice(["Ärzte GmbH", "ÄRZTE GMBH", None]),
        "vat_number": rng.choice(["DE 1", "de 1", "DE1", None]),
    }  # fmt: skip
    subscription = None
    if rng.random() < 0.6:
        subscription = {
            "id": f"S{number}",
            "type": rng.choice(["AR", "PMR", "OTHER"]),
            "status": rng.choice(["active", "not paid", "cancelled"]),
            "parent_order_id": rng.choice([None, 5]),
        }
    currency, total = rng.choice(TOTALS)
    return factories.document(
        order_id=number,
        currency=currency,
        total=total,
        checkout_page=rng.choice(STORES),
        status=status,
        create_date=created.isoformat(),
        pay_date=(created + timedelta(hours=rng.randint(0, 30))).isoformat() if status == "paid" else None,
        customer=customer,
        payment={
            "card_last_4": rng.choice(["0042", "4242", None]),
            "payment_method": rng.choice(PAYMENT_METHODS),
        },
        items=[
            factories.item(
                **rng.choice(PRODUCTS),
                delivered=rng.random() < 0.5,
                activation_codes=[{"code": rng.choice(CODES), "deleted": rng.random() < 0.3}]
                * rng.randint(0, 1),
                subscription=subscription,
            ),
            *(
                [factories.item(**rng.choice(PRODUCTS), delivered=rng.random() < 0.5)]
                if rng.random() < 0.4
                else []
            ),
            *([factories.item(name="Return", price=total, amount=total)] if total.startswith("-") else []),
        ],
    )


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
