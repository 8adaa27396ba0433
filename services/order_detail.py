"""One order in full: everything that the Orders page shows of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Table, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import (
    activation_code,
    checkout_page,
    order_document,
    order_history,
    order_item,
    order_relation,
    orders,
    subscription,
)
from services.access import Viewer
from services.errors import OrderNotFound
from services.history_links import TextPart, link_texts

# Other mechanisms of renewal are no subscriptions and show nothing.
SUBSCRIPTION_TYPES = ("AR", "PMR")


@dataclass(frozen=True, slots=True)
class NameValue:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ActivationCode:
    """A deleted code stays in the order, is shown crossed out and is never sent again."""

    id: int
    code: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as an item of this order carries it; `related` are the other orders of it in scope."""

    subscription_id: str
    type: str
    status: str
    parent_order_id: int | None
    period: str | None
    next_renewal_at: datetime | None
    changed_at: datetime | None
    changed_by: str | None
    related: tuple["RelatedOrder", ...]

    @property
    def activated(self) -> bool:
        return self.status != "cancelled"


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
        return self.kind == "note"


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
    additional_parameters: tuple[NameValue, ...]
    items: tuple[OrderItem, ...]
    history: tuple[HistoryEvent, ...]
    documents: tuple[DocumentLink, ...]
    related: tuple[RelatedOrder, ...]

    @property
    def customer_name(self) -> str | None:
        return " ".join(filter(None, (self.first_name, self.last_name))) or None


def get_order(connection: Connection, viewer: Viewer, order_id: int) -> OrderDetail:
    """The order with everything that belongs to it, in a fixed number of statements.

    Raises `OrderNotFound` for an order that does not exist and for one outside the viewer's scope, alike.
    """
    found = get_orders(connection, viewer, [order_id]) if 0 < order_id < 2**63 else ()
    if not found:
        raise OrderNotFound
    return found[0]


def get_orders(connection: Connection, viewer: Viewer, order_ids: Sequence[int]) -> tuple[OrderDetail, ...]:
    """Those of these orders that are in scope, in the order asked for; as many statements as for one."""
    scope = [store.id for store in viewer.stores]
    heads = {
        row.order_id: row
        for row in connection.execute(
            select(checkout_page.c.name.label("store"), orders)
            .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
            .where(_among(orders.c.order_id, order_ids), orders.c.checkout_page_id.in_(scope))
        )
    }
    wanted = [order_id for order_id in order_ids if order_id in heads]
    items = _by_order(connection, order_item, wanted, order_item.c.position)
    codes = _by_order(
        connection, activation_code, wanted, activation_code.c.position, activation_code.c.number
    )
    subscriptions = _by_order(connection, subscription, wanted)
    documents = _by_order(
        connection, order_document, wanted, order_document.c.id, leave_out=(order_document.c.content,)
    )
    events = _by_order(
        connection, order_history, wanted, order_history.c.at.desc(), order_history.c.id.desc()
    )
    members = _subscription_members(connection, [s for found in subscriptions.values() for s in found])
    relations = _relations(connection, wanted)
    names = _names(connection, {r for found in relations.values() for r, _ in found})
    texts = [event.text for order_id in wanted for event in events[order_id]]
    linked = iter(link_texts(connection, texts))
    details = []
    for order_id in wanted:
        head = heads[order_id]
        parts = [next(linked) for _ in events[order_id]]
        details.append(
            OrderDetail(
                **{
                    name: getattr(head, name)
                    for name in OrderDetail.__slots__
                    if name not in ("items", "history", "documents", "related", "additional_parameters")
                },
                additional_parameters=_pairs(head.additional_parameters),
                items=_items(head, items[order_id], codes[order_id], subscriptions[order_id], members),
                history=tuple(
                    HistoryEvent(event.at, event.kind, text, event.author, event.document_id)
                    for event, text in zip(events[order_id], parts, strict=True)
                ),
                documents=tuple(DocumentLink(d.id, d.name, d.kind) for d in documents[order_id]),
                related=tuple(
                    RelatedOrder(other, names.get(other), relation, other in names)
                    for other, relation in sorted(relations[order_id])
                ),
            )
        )
    return tuple(details)


def _among(column: Column[Any], values: Iterable[int]) -> Any:
    return column == any_(literal(list(values), ARRAY(BigInteger)))


def _by_order(
    connection: Connection,
    table: Table,
    order_ids: Sequence[int],
    *order_by: Any,
    leave_out: tuple[Column[Any], ...] = (),
) -> defaultdict[int, list[Any]]:
    columns = [column for column in table.c if column not in set(leave_out)]
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(*columns).where(_among(table.c.order_id, order_ids)).order_by(table.c.order_id, *order_by)
    ):
        found[row.order_id].append(row)
    return found


def _subscription_members(
    connection: Connection, subscriptions: Sequence[Any]
) -> dict[tuple[int, str], list[RelatedOrder]]:
    """The orders in scope of each subscription, by checkout page and subscription id, oldest first."""
    members: defaultdict[tuple[int, str], list[RelatedOrder]] = defaultdict(list)
    ids = {s.subscription_id for s in subscriptions}
    if not ids:
        return members
    rows = connection.execute(
        select(
            subscription.c.checkout_page_id,
            subscription.c.subscription_id,
            subscription.c.parent_order_id,
            orders.c.order_id,
            orders.c.order_name,
        )
        .join(orders, orders.c.order_id == subscription.c.order_id)
        .where(
            subscription.c.checkout_page_id.in_({s.checkout_page_id for s in subscriptions}),
            subscription.c.subscription_id.in_(ids),
        )
        .order_by(orders.c.created_at, orders.c.order_id)
    )
    for row in rows:
        relation = "child" if row.parent_order_id not in (None, row.order_id) else "parent"
        members[row.checkout_page_id, row.subscription_id].append(
            RelatedOrder(row.order_id, row.order_name, relation, True)
        )
    return members


def _relations(connection: Connection, order_ids: Sequence[int]) -> defaultdict[int, set[tuple[int, str]]]:
    """(other order, relation) of each order; also when only the other order says so."""
    opposite = {"parent": "child", "child": "parent", "typo": "typo"}
    found: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
    wanted = set(order_ids)
    for row in connection.execute(
        select(order_relation).where(
            or_(
                _among(order_relation.c.order_id, order_ids),
                _among(order_relation.c.related_order_id, order_ids),
            )
        )
    ):
        if row.order_id in wanted:
            found[row.order_id].add((row.related_order_id, row.relation))
        if row.related_order_id in wanted:
            found[row.related_order_id].add((row.order_id, opposite[row.relation]))
    return found


def _names(connection: Connection, order_ids: Iterable[int]) -> dict[int, str]:
    """The names of those of the orders that the viewer may see."""
    rows = connection.execute(
        select(orders.c.order_id, orders.c.order_name).where(_among(orders.c.order_id, order_ids))
    )
    return {row.order_id: row.order_name for row in rows}


def _items(
    head: Any,
    items: Sequence[Any],
    codes: Sequence[Any],
    subscriptions: Sequence[Any],
    members: dict[tuple[int, str], list[RelatedOrder]],
) -> tuple[OrderItem, ...]:
    shown = {s.position: s for s in subscriptions if _shows_subscription(head, s)}
    plain = [name for name in OrderItem.__slots__ if name not in ("additional_data", "codes", "subscription")]
    return tuple(
        OrderItem(
            **{name: getattr(item, name) for name in plain},
            additional_data=_pairs(item.additional_data),
            codes=tuple(
                ActivationCode(c.id, c.code, c.deleted) for c in codes if c.position == item.position
            ),
            subscription=_subscription(head, shown.get(item.position), members),
        )
        for item in items
    )


def _shows_subscription(head: Any, carried: Any) -> bool:
    """AR and PMR only; the parent order once it was paid, a child order always."""
    is_child = carried.parent_order_id not in (None, head.order_id)
    return carried.type in SUBSCRIPTION_TYPES and (is_child or head.paid_at is not None)


def _subscription(
    head: Any, carried: Any, members: dict[tuple[int, str], list[RelatedOrder]]
) -> Subscription | None:
    if carried is None:
        return None
    others = members.get((carried.checkout_page_id, carried.subscription_id), [])
    return Subscription(
        **{name: getattr(carried, name) for name in Subscription.__slots__ if name != "related"},
        related=tuple(other for other in others if other.order_id != head.order_id),
    )


def _pairs(stored: Any) -> tuple[NameValue, ...]:
    """Names and values as other systems may have written them: anything that is no such pair is left out."""
    return tuple(
        NameValue(str(pair.get("name") or ""), str(pair.get("value") or ""))
        for pair in stored
        if isinstance(pair, dict)
    )
