"""The content of an order document after its checks: plain values, ready for the tables.

Texts are as sent; an optional text that was empty or only spaces is None. Times are aware and in UTC. Amounts are
in the order's currency; below zero only in lines that are discounts or returns, and in a total with such lines.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from db.schema.statuses import DocumentKind, HistoryKind, MainStatus, Relation, SubscriptionStatus


class CustomerType(StrEnum):
    PHYSICAL = "physical"
    LEGAL = "legal"


class Delivery(StrEnum):
    ELECTRONIC = "electronic"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class NameValue:
    """One additional parameter or field; an empty value is an empty text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CustomerData:
    """`erased`: the customer's personal data was removed; everything but type and country is None."""

    type: CustomerType | None = None
    country: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    vat_number: str | None = None
    company_name: str | None = None
    company_billing_address: str | None = None
    company_delivery_address: str | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class PaymentData:
    """`reference` is the provider's own ID of the payment, such as `pi_…`."""

    payment_method: str | None = None
    payment_system_name: str | None = None
    card_type: str | None = None
    card_last_4: str | None = None
    card_expiration_date: str | None = None
    provider: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class LicenseUserData:
    """The user of a licence. `erased`: this person's data was removed; the rest is None."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class ActivationCodeData:
    code: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionData:
    """`type` is any renewal mechanism; only AR and PMR are subscriptions to show. `period` is ISO 8601 (P1Y)."""

    id: str
    type: str
    status: SubscriptionStatus
    parent_order_id: int | None = None
    period: str | None = None
    next_renewal_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemData:
    """`price` is that of one piece, `amount` that of the item; `discount_percent` is 0 to 100.

    `item_id` is the item's position, from 1, where the document has no id (`has_own_id` is false).
    """

    item_id: str
    has_own_id: bool
    product_id: str | None
    sku: str | None
    name: str
    price: Decimal
    quantity: int
    discount_percent: Decimal | None
    discount_amount: Decimal | None
    vat_amount: Decimal | None
    amount: Decimal
    delivery: Delivery | None
    delivered: bool
    refunded: bool
    license_user: LicenseUserData | None
    activation_codes: tuple[ActivationCodeData, ...]
    additional_fields: tuple[NameValue, ...]
    subscription: SubscriptionData | None


@dataclass(frozen=True, slots=True)
class RelatedOrder:
    order_id: int
    relation: Relation


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    date: datetime
    kind: HistoryKind
    text: str


@dataclass(frozen=True, slots=True)
class DocumentData:
    """A file that belongs to the order; `content` is its bytes, decoded."""

    name: str
    kind: DocumentKind
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OrderDocument:
    order_id: int
    order_name: str
    order_id_1c: str | None
    checkout_page: str
    status: MainStatus
    create_date: datetime
    pay_date: datetime | None
    currency: str
    total: Decimal
    locale: str | None
    order_detail_url: str | None
    updated_at: datetime | None
    customer: CustomerData
    payment: PaymentData
    items: tuple[ItemData, ...]
    additional_data: tuple[NameValue, ...]
    related_orders: tuple[RelatedOrder, ...]
    history: tuple[HistoryEvent, ...]
    documents: tuple[DocumentData, ...]
