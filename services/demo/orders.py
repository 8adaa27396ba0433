"""Demo orders: the same ones for the same seed and day, showing between them all that an order can be.

Orders go round the stores and, within a store, round the scenarios, oldest first; so each store has each scenario
once in every `ROUND` orders.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.demo.receipts import receipt_pdf
from services.demo.scenarios import (
    PAIRS,
    ROUND,
    STORES,
    UNDELIVERED,
    UNPAID,
    created_and_paid,
    random_of,
    scenario_of,
)
from services.demo.vocabulary import COUNTRIES, PAYMENTS, PRODUCTS, RATES, Country
from services.money import minor_units

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """An order document, and what the portal's own tables say of its refund, if anything: `refund` is the
    scenario's last word (requested, updating, partial, full, refused, failed), and the times are those of its steps."""

    document: Document
    refund: str | None
    requested_at: datetime
    taken_at: datetime
    closed_at: datetime


def demo_orders(count: int, *, seed: int, today: date) -> Iterator[DemoOrder]:
    """`count` orders in the `DAYS` days before today (UTC), oldest first."""
    end = datetime.combine(today, time(), tzinfo=UTC)
    for index in range(count):
        yield _Maker(index, count, seed, end).make()


class _Maker:
    """Makes one order."""

    def __init__(self, index: int, count: int, seed: int, end: datetime) -> None:
        self.index = index
        self.count = count
        self.seed = seed
        self.end = end
        self.rng = random_of(seed, index)
        self.created, self.paid = created_and_paid(seed, index, count, end)
        self.store = STORES[index % len(STORES)]
        self.scenario = scenario_of(index)
        self.country: Country = self.rng.choice(COUNTRIES[self.store])
        self.is_paid = self.scenario not in UNPAID
        self.history: list[Document] = []
        # A refund takes 38 hours, or as long as there has been since the payment.
        took = min(timedelta(hours=38), (end - self.paid) * 0.9)
        self.requested, self.taken, self.closed = (
            (self.paid + took * part / 38).replace(microsecond=0) for part in (30, 35, 38)
        )

    def make(self) -> DemoOrder:
        refund = self.scenario.removeprefix("refund-") if self.scenario.startswith("refund-") else None
        customer = self._customer()
        self._said(self.created, "status", "The order has been created. Status: Not paid")
        items = self._items(customer)
        total = sum((Decimal(item["amount"]) for item in items), Decimal(0))
        status = "paid" if self.is_paid else "not paid"
        if self.is_paid:
            self._said(self.paid, "status", "The order has been paid. Status: Paid")
            self._mails(customer, items)
        if self.scenario in ("cancelled", "terminated"):
            status = "deleted" if self.scenario == "cancelled" else "terminated"
            self._said(self.created + timedelta(hours=20), "status", f"Status: {status.capitalize()}")
        if refund == "full":
            status = "deleted"
        document: Document = {
            "order_id": self._id(self.index),
            "order_name": self._name(self.index),
            "order_id_1c": f"ALS-{self._id(self.index) % 10_000_000:07}",
            "checkout_page": self.store,
            "status": status,
            "create_date": self.created.isoformat(),
            "pay_date": self.paid.isoformat() if self.is_paid else None,
            "currency": self.country.currency,
            "total": str(total),
            "locale": self.country.locale,
            "customer": customer,
            "payment": self._payment() if self.is_paid else None,
            "items": items,
            "additional_data": [
                {"name": "utm_source", "value": self.rng.choice(["newsletter", "search", "partner-17"])},
                {"name": "Operating system", "value": self.rng.choice(["Windows 11", "macOS 15", "Linux"])},
            ],
            "related_orders": self._related(),
            "documents": self._documents(total),
        }
        if self.scenario == "own-page":
            document["order_detail_url"] = f"https://shop.example/orders/{self._name(self.index)}"
        if self.scenario == "erased":
            document["customer"] = {"type": "physical", "country": self.country.code, "erased": True}
            self._said(
                min(self.paid + timedelta(days=9), self.end), "anonymization", "Personal data anonymize"
            )
        document["history"] = sorted(self.history, key=lambda event: event["date"])
        return DemoOrder(document, refund, self.requested, self.taken, self.closed)

    def _id(self, index: int) -> int:
        return 12_345_678 + (self.seed - 1) * 100_000_000 % 10**15 + index

    def _name(self, index: int) -> str:
        return f"A{self._id(index):010}"

    def _digits(self, pattern: str) -> str:
        return "".join(str(self.rng.randint(0, 9)) if c == "#" else c for c in pattern)

    def _said(self, at: datetime, kind: str, text: str) -> None:
        self.history.append({"date": min(at, self.end).isoformat(), "kind": kind, "text": text})

    def _customer(self) -> Document:
        country = self.country
        customer: Document = {
            "type": "physical",
            "country": country.code,
            "email": f"customer{self.rng.randint(1, max(self.count // 2, 2))}@{country.code.lower()}.example",
            "first_name": self.rng.choice(country.first_names),
            "last_name": self.rng.choice(country.last_names),
            "phone": self._digits(country.phone),
        }
        if self.scenario in ("company", "many-codes") or self.rng.random() < 0.15:
            customer |= {
                "type": "legal",
                "vat_number": self._digits(country.vat),
                "company_name": self.rng.choice(country.companies),
                "company_billing_address": country.address,
                "company_delivery_address": country.address,
            }
        if self.scenario == "no-email":
            del customer["email"]
        if self.scenario == "nameless":
            del customer["first_name"], customer["last_name"]
        return customer

    def _payment(self) -> Document:
        by_card = (
            "plain",
            "refund-partial",
            "refund-full",
        )  # these refunds say that they went back to the card
        method, system, is_card = PAYMENTS[0] if self.scenario in by_card else self.rng.choice(PAYMENTS)
        card = {
            "card_type": self.rng.choice(["Visa", "Mastercard"]),
            "card_last_4": f"{self.rng.randint(0, 9999):04}",
            "card_expiration_date": f"{self.rng.randint(1, 12):02}/{self.end.year + self.rng.randint(0, 4)}",
        }
        return {"payment_method": method, "payment_system_name": system} | (
            card if is_card and self.scenario != "erased" else {}
        )

    def _items(self, customer: Document) -> list[Document]:
        several = {"several": 4, "company": 2, "partly": 2, "refund-partial": 3, "many-codes": 2}
        number = several.get(self.scenario, 1)
        return [
            self._item(position, product, customer)
            for position, product in enumerate(self.rng.sample(PRODUCTS, number), 1)
        ]

    def _item(self, position: int, product: tuple[str, str, str], customer: Document) -> Document:
        name, sku, base = product
        unit = Decimal(1).scaleb(-minor_units(self.country.currency))
        price = (Decimal(base) * Decimal(RATES[self.country.currency])).quantize(unit)
        if self.scenario == "free":
            price = Decimal(0).quantize(unit)
        quantity = 5 if self.scenario == "many-codes" and position == 1 else 1
        percent = Decimal(20 if self.scenario in ("several", "company") and position == 1 else 0)
        discount = (price * quantity * percent / 100).quantize(unit)
        amount = price * quantity - discount
        item: Document = {
            "item_id": str(position),
            "product_id": str(1000 + len(sku) * 7 + position),
            "sku": sku,
            "name": name,
            "price": str(price),
            "quantity": quantity,
            "amount": str(amount),
            "vat_amount": str((amount / 6).quantize(unit)),
            "delivery": "physical" if self.scenario == "physical" else "electronic",
            "delivered": self.scenario not in UNDELIVERED
            and not (self.scenario == "partly" and position == 2),
            "refunded": self.scenario == "refund-full"
            or (self.scenario == "refund-partial" and position == 1),
        }
        if percent:
            item |= {"discount_percent": str(percent), "discount_amount": str(discount)}
        is_saved = self.is_paid and self.scenario not in ("not-delivered", "no-codes", "physical")
        if is_saved and not (self.scenario == "partly" and position == 2):
            item["activation_codes"] = self._codes(quantity, item["refunded"])
            item["license_user"] = self._license_user(customer)
        if self.scenario in ("several", "company"):
            item["additional_fields"] = [{"name": "Computer name", "value": f"PC-{self.rng.randint(10, 99)}"}]
        if (carried := self._subscription()) and position == 1:
            item["subscription"] = carried
        return item

    def _codes(self, number: int, refunded: bool) -> list[Document]:
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return [
            {
                "code": "-".join("".join(self.rng.choices(letters, k=4)) for _ in range(4)),
                # After a refund, and now and then because a code was exchanged for another one.
                "deleted": refunded or (self.scenario == "many-codes" and number == 1),
            }
            for number in range(number)
        ]

    def _license_user(self, customer: Document) -> Document:
        if self.scenario in ("user-erased", "erased"):
            return {"erased": True}
        if self.scenario in ("company", "many-codes"):
            return {
                "first_name": self.rng.choice(self.country.first_names),
                "last_name": self.rng.choice(self.country.last_names),
                "email": f"user{self.rng.randint(1, 999)}@office.example",
            }
        return {key: customer[key] for key in ("first_name", "last_name", "email") if key in customer}

    def _subscription(self) -> Document | None:
        scenario = self.scenario
        if not scenario.startswith(("ar-", "pmr-", "other-", "unpaid-parent")):
            return None
        kind = {"pmr": "PMR", "other": "MANUAL"}.get(scenario.split("-")[0], "AR")
        parent = self._parent()
        status = "active"
        if scenario.endswith("cancelled"):
            status = "cancelled"
        elif not self.is_paid or (scenario == "ar-unpaid-parent" and self._child() is not None):
            status = "not paid"
        child = self._child()
        first = self.index if parent is None else parent
        last = self.index if child is None else child
        at = self.paid if self.is_paid else self.created
        if parent is not None:
            self._said(at, "subscription", f"Renewal of the subscription. Parent order {self._name(parent)}")
        elif self.is_paid and kind != "MANUAL":
            self._said(at, "subscription", f"Subscription has been activated ({kind})")
        if child is not None:
            text = f"The renewal order {self._name(child)} has been created"
            self._said(self._created_of(child), "subscription", text)
        if status == "cancelled":
            self._said(at + timedelta(days=3), "subscription", "Auto-renewal has been deactivated")
        return {
            "id": f"SUB-{self._id(first)}",
            "type": kind,
            "status": status,
            "parent_order_id": None if parent is None else self._id(parent),
            "period": "P2Y",
            # Longer than the demo lasts, so that no renewal is missing.
            "next_renewal_date": (self._created_of(last) + timedelta(days=730)).isoformat(),
        }

    def _created_of(self, index: int) -> datetime:
        return created_and_paid(self.seed, index, self.count, self.end)[0]

    def _child(self) -> int | None:
        """The renewal of this order: a round and one scenario later, if the demo reaches so far."""
        child = self.index + ROUND + len(STORES)
        return child if self.scenario in PAIRS and child < self.count else None

    def _parent(self) -> int | None:
        parent = self.index - ROUND - len(STORES)
        return parent if self.scenario in PAIRS.values() and parent >= 0 else None

    def _related(self) -> list[Document]:
        found = [(self._parent(), "parent"), (self._child(), "child")]
        if self.scenario == "typo-first" and self.index + len(STORES) < self.count:
            found.append((self.index + len(STORES), "typo"))
        if self.scenario == "typo-second":
            found.append((self.index - len(STORES), "typo"))
        for other, relation in found:
            if other is not None and relation == "typo":
                text = f"Bought together from the thank-you page: {self._name(other)}"
                self._said(max(self.created, self._created_of(other)), "relation", text)
        return [{"order_id": self._id(o), "relation": r} for o, r in found if o is not None]

    def _mails(self, customer: Document, items: list[Document]) -> None:
        email = "deleted" if self.scenario == "erased" else customer.get("email")
        if email is None:
            self._said(self.paid, "error", "The payment confirmation was not sent: the order has no e-mail")
            return
        at = self.paid + timedelta(seconds=40)
        self._said(at, "email", f"Payment confirmation has been sent to {email}")
        if self.scenario == "mail-error":
            text = f"Licence e-mail to {email} failed: 550 5.1.1 mailbox unavailable"
            self._said(at + timedelta(minutes=1), "error", text)
        elif any(item.get("activation_codes") for item in items):
            self._said(at + timedelta(minutes=1), "email", f"Licence e-mail has been sent to {email}")

    def _documents(self, total: Decimal) -> list[Document]:
        names = {
            "documents": ("invoice", "receipt"),
            "company": ("invoice",),
            "refund-full": ("invoice", "credit-note"),
        }
        made = []
        for word in names.get(self.scenario, ()):
            name = f"{word}-{self._name(self.index)}.pdf"
            kind, at = ("refund", self.closed) if word == "credit-note" else ("payment", self.paid)
            lines = [self._name(self.index), f"{at:%Y-%m-%d}", f"{self.country.currency} {total}"]
            content = receipt_pdf(word.replace("-", " ").capitalize(), lines)
            made.append({"name": name, "kind": kind, "content_base64": base64.b64encode(content).decode()})
            if kind == "refund":
                self._said(self.closed, "document", f"Refund document {name}")
        return made
