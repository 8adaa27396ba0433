"""What the customer's page shows. `services.customers.page` fills these models."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from services.orders.search import Cursor, OrderRow


class SameBy(StrEnum):
    """What orders have in common: never the person, whom nobody here can know."""

    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Person:
    """The customer of an order as that order has them, and how many orders in scope have the same e-mail and the same
    phone number, itself included. 0 where it has none; no more than `services.customers.page.COUNTED_TO`.
    """

    order_id: int
    order_name: str
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    company_name: str | None
    country: str | None
    customer_erased: bool
    email_orders: int
    phone_orders: int

    @property
    def name(self) -> str | None:
        return " ".join(filter(None, (self.first_name, self.last_name))) or None


class CurrencySums(NamedTuple):
    """The orders of one currency. `unknown` refunds have no recorded sum and are not in `refunded`."""

    currency: str
    orders: int
    paid_orders: int
    paid: Decimal
    refunded: Decimal
    unknown: int
    unpaid_orders: int
    unpaid: Decimal
    first_at: datetime
    last_at: datetime

    @property
    def remains(self) -> Decimal:
        """What was paid and not given back."""
        return self.paid - self.refunded


class Renewal(NamedTuple):
    """A subscription that runs, with the newest of its orders."""

    subscription_id: str
    type: str
    status: str
    next_renewal_at: datetime | None
    order_id: int
    order_name: str
    store: str
    product: str


class SoldCode(NamedTuple):
    code: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class SoldItem:
    name: str
    quantity: int
    refunded: bool
    codes: tuple[SoldCode, ...]


@dataclass(frozen=True, slots=True)
class CustomerOrder:
    row: OrderRow
    items: tuple[SoldItem, ...]


class CustomerLine(NamedTuple):
    """A line of an order's history: about a mail, or an internal note."""

    order_id: int
    order_name: str
    at: datetime
    kind: str
    text: str
    author: str | None


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """The orders in scope that have the same e-mail or phone number: sums and renewals of all of them, and one page of
    the orders, newest first, with their licences, mails and notes.

    `renewals` are the next ones of `renewals_number`. `by` is None when the order has neither e-mail nor phone number.
    """

    person: Person
    by: SameBy | None
    sums: tuple[CurrencySums, ...] = ()
    renewals: tuple[Renewal, ...] = ()
    renewals_number: int = 0
    orders: tuple[CustomerOrder, ...] = ()
    lines: tuple[CustomerLine, ...] = ()
    next: Cursor | None = None
    previous: Cursor | None = None

    @property
    def number(self) -> int:
        """The number of all orders."""
        return sum(sums.orders for sums in self.sums)
