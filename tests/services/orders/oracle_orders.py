"""Orders of every kind, for the oracle of the search: what matters to a field varies in all ways that it compares."""

import random
from datetime import UTC, datetime, timedelta

from tests.support import factories
from tests.support.factories import Document

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


# Of the list, with own words behind it, and not of the list.
REASONS = (
    "Duplicate order: on Monday",
    "Duplicate order",
    "Bought twice",
    "bought TWICE",
    " Gefällt nicht",
    "r",
)


DOMAIN = "example.com"


NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def some_subscription(number: int, rng: random.Random) -> Document | None:
    if rng.random() >= 0.6:
        return None
    return {
        "id": f"S{number}",
        "type": rng.choice(["AR", "PMR", "OTHER"]),
        "status": rng.choice(["active", "not paid", "cancelled"]),
        "parent_order_id": rng.choice([None, 5]),
    }


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
    subscription = some_subscription(number, rng)
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
