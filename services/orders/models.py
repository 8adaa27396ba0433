"""The parts of an order in full. `services.orders.detail` fills these models."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from db.schema.connection_states import AwaitedKind
from db.schema.statuses import HistoryKind, SubscriptionStatus
from db.statements.order_detail import COUNTED_TO
from services.events.awaiting import AwaitedAction
from services.mail.addresses import Utf8
from services.orders.history_links import TextPart
from services.refunds.requests import RefundRequest

OTHERS_COUNTED: Final = COUNTED_TO - 1


@dataclass(frozen=True, slots=True)
class NameValue:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ActivationCode:
    """An activation code. A deleted one stays in the order, is shown crossed out and is never sent again.

    `position` is its item's; copies of one code have the same `key`; `is_replaced` says that another code was issued in
    its place; `mail_waits_since` is set while a mail with it waits to be sent.
    """

    id: int
    position: int
    code: str
    key: str
    deleted: bool
    is_replaced: bool
    mail_waits_since: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as an item of this order carries it; `related` are the other orders of it in scope.

    `is_awaited` says whether a change of it was recorded, here or in another of its orders, that is not confirmed yet.
    """

    subscription_id: str
    type: str
    status: str
    parent_order_id: int | None
    period: str | None
    next_renewal_at: datetime | None
    changed_at: datetime | None
    changed_by: str | None
    change_reason: str | None
    related: tuple["RelatedOrder", ...]
    events: tuple["SubscriptionEvent", ...]
    is_awaited: bool

    @property
    def activated(self) -> bool:
        return self.status != SubscriptionStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class SubscriptionEvent:
    """A change made to a subscription here: `action` is cancel, resume or stop (by a refund)."""

    at: datetime
    action: str
    to_status: str
    order_id: int
    changed_by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class RelatedOrder:
    """Another order: `relation` is typo, parent or child; `in_scope` says whether the viewer may open it."""

    order_id: int
    order_name: str | None
    relation: str
    in_scope: bool


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One item; `subscription` is None when there is none to show. Amounts are in the order's currency."""

    position: int
    name: str
    sku: str | None
    product_id: str | None
    quantity: int
    price: Decimal
    discount_percent: Decimal | None
    discount_amount: Decimal | None
    vat_amount: Decimal | None
    amount: Decimal
    delivery: str | None
    delivered: bool
    refunded: bool
    license_first_name: str | None
    license_last_name: str | None
    license_email: str | None
    license_erased: bool
    additional_data: tuple[NameValue, ...]
    codes: tuple[ActivationCode, ...]
    subscription: Subscription | None

    @property
    def is_below_zero(self) -> bool:
        """Whether the item is a discount or a return, which cannot be delivered or have a licence."""
        return self.amount < 0

    @property
    def license_name(self) -> str | None:
        return " ".join(filter(None, (self.license_first_name, self.license_last_name))) or None


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """Something that happened; `parts` is the text, with the orders in scope that it names."""

    at: datetime
    kind: str
    parts: tuple[TextPart, ...]
    author: str | None
    document_id: int | None

    @property
    def is_internal(self) -> bool:
        return self.kind == HistoryKind.NOTE


@dataclass(frozen=True, slots=True)
class DocumentLink:
    id: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with all its blocks. Personal values are None when absent and when `customer_erased`."""

    order_id: int
    order_name: str
    order_id_1c: str | None
    store: str
    delivery_allowed: bool
    refund_again_after_partial: bool
    status: str
    delivered: bool
    refund_status: str | None
    created_at: datetime
    paid_at: datetime | None
    currency: str
    total: Decimal
    detail_url: str | None
    page_key: UUID
    customer_erased: bool
    customer_type: str | None
    country: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    vat_number: str | None
    company_name: str | None
    company_billing_address: str | None
    company_delivery_address: str | None
    payment_method: str | None
    payment_system_name: str | None
    card_type: str | None
    card_last_4: str | None
    card_expiration_date: str | None
    # In scope and with the same e-mail; more than `OTHERS_COUNTED` are not counted further.
    other_orders: int
    additional_parameters: tuple[NameValue, ...]
    items: tuple[OrderItem, ...]
    history: tuple[HistoryEvent, ...]
    documents: tuple[DocumentLink, ...]
    related: tuple[RelatedOrder, ...]
    refunds: tuple[RefundRequest, ...]
    # What a shop or a provider has to confirm, or has confirmed or refused; newest first.
    awaited: tuple[AwaitedAction, ...]
    # Whether the mail server takes addresses such as the customer's, where that matters.
    utf8: Utf8

    @property
    def customer_name(self) -> str | None:
        return " ".join(filter(None, (self.first_name, self.last_name))) or None

    def is_refund_awaited(self, request: RefundRequest) -> bool:
        """Whether a refund of the request was recorded that is not confirmed yet: nobody can take or close it."""
        return any(
            action.is_open and action.kind is AwaitedKind.REFUND and action.subject == str(request.id)
            for action in self.awaited
        )


def dead_copies(items: Iterable[OrderItem]) -> frozenset[int]:
    """The IDs of the codes of these items that are never sent again: deleted codes and their dead copies."""
    pairs = [(item, code) for item in items for code in item.codes]
    deleted = {code.key for _, code in pairs if code.deleted}
    return frozenset(
        code.id for item, code in pairs if code.deleted or (item.refunded and code.key in deleted)
    )
