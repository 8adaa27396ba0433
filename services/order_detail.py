"""One order in full: everything that the Orders page shows of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Table, any_, literal, or_, select, text
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
    subscription_event,
)
from services.access import Viewer
from services.errors import OrderNotFound
from services.history_links import link_texts
from services.order_shapes import (
    ActivationCode,
    DocumentLink,
    HistoryEvent,
    NameValue,
    OrderDetail,
    OrderItem,
    RelatedOrder,
    Subscription,
    SubscriptionEvent,
)
from services.refunds import find_requests_of
from services.subscriptions import shows_subscription


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
            select(
                checkout_page.c.name.label("store"),
                checkout_page.c.delivery_allowed,
                checkout_page.c.refund_again_after_partial,
                orders,
            )
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
    past = _subscription_events(connection, [s for found in subscriptions.values() for s in found])
    waiting = _waiting_mails(connection, wanted)
    refunds = find_requests_of(connection, wanted)
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
                    if name
                    not in ("items", "history", "documents", "related", "additional_parameters", "refunds")
                },
                additional_parameters=_pairs(head.additional_parameters),
                items=_items(
                    head,
                    items[order_id],
                    [_code(code, waiting) for code in codes[order_id]],
                    {
                        carried.position: _subscription(head, carried, members, past)
                        for carried in subscriptions[order_id]
                        if shows_subscription(
                            carried.type, carried.parent_order_id, order_id, head.paid_at is not None
                        )
                    },
                ),
                refunds=tuple(refunds[order_id]),
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


def _subscription_events(
    connection: Connection, subscriptions: Sequence[Any]
) -> defaultdict[tuple[int, str], list[SubscriptionEvent]]:
    """What was done to each subscription, by checkout page and subscription id, newest first."""
    found: defaultdict[tuple[int, str], list[SubscriptionEvent]] = defaultdict(list)
    if not subscriptions:
        return found
    rows = connection.execute(
        select(subscription_event)
        .where(
            subscription_event.c.checkout_page_id.in_({s.checkout_page_id for s in subscriptions}),
            subscription_event.c.subscription_id.in_({s.subscription_id for s in subscriptions}),
        )
        .order_by(subscription_event.c.at.desc(), subscription_event.c.id.desc())
    )
    for row in rows:
        found[row.checkout_page_id, row.subscription_id].append(
            SubscriptionEvent(row.at, row.action, row.to_status, row.order_id, row.changed_by, row.reason)
        )
    return found


def _waiting_mails(connection: Connection, order_ids: Sequence[int]) -> dict[tuple[int, int, int], datetime]:
    """Since when a licence mail is on its way, by order, position of the item and number of the code."""
    rows = connection.execute(text("SELECT * FROM waiting_licence_mails(:ids)"), {"ids": list(order_ids)})
    return {(row.order_id, row.position, row.number): row.queued_at for row in rows}


def _code(row: Any, waiting: dict[tuple[int, int, int], datetime]) -> ActivationCode:
    return ActivationCode(
        row.id, row.position, row.code, row.deleted, waiting.get((row.order_id, row.position, row.number))
    )


def _items(
    head: Any,
    items: Sequence[Any],
    codes: Sequence[ActivationCode],
    subscriptions: dict[int, Subscription],
) -> tuple[OrderItem, ...]:
    plain = [name for name in OrderItem.__slots__ if name not in ("additional_data", "codes", "subscription")]
    return tuple(
        OrderItem(
            **{name: getattr(item, name) for name in plain},
            additional_data=_pairs(item.additional_data),
            codes=tuple(code for code in codes if code.position == item.position),
            subscription=subscriptions.get(item.position),
        )
        for item in items
    )


def _subscription(
    head: Any,
    carried: Any,
    members: dict[tuple[int, str], list[RelatedOrder]],
    past: dict[tuple[int, str], list[SubscriptionEvent]],
) -> Subscription:
    key = (carried.checkout_page_id, carried.subscription_id)
    return Subscription(
        **{
            name: getattr(carried, name)
            for name in Subscription.__slots__
            if name not in ("related", "events")
        },
        related=tuple(other for other in members.get(key, []) if other.order_id != head.order_id),
        events=tuple(past.get(key, [])),
    )


def _pairs(stored: Any) -> tuple[NameValue, ...]:
    """Names and values as other systems may have written them: anything that is no such pair is left out."""
    return tuple(
        NameValue(str(pair.get("name") or ""), str(pair.get("value") or ""))
        for pair in stored
        if isinstance(pair, dict)
    )
