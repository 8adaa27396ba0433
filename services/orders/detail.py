"""Orders in full: everything that the Orders page shows of one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping, select

from db.schema.order_tables import orders
from db.statements import order_detail
from services.access import Viewer
from services.errors import OrderNotFound
from services.events.awaiting import AwaitedAction, action_of_json
from services.mail.addresses import Utf8
from services.mail.server_state import find_utf8_for
from services.order_actions.subscriptions import shows_subscription
from services.orders.history_links import mentioned_orders, split_text
from services.orders.models import (
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
from services.refunds.requests import RefundRequest, find_requests_of
from services.text.numbers import is_bigint

_Key = tuple[int, str]  # of a subscription: its store and its ID


class _Event(NamedTuple):
    """A line of the history as it is stored, its text not split yet."""

    at: datetime
    kind: str
    text: str
    author: str | None
    document_id: int | None


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The history of an order and its actions that a connection confirms, both newest first; its documents and its
    `relations` (order ID, relation)."""

    events: list[_Event] = field(default_factory=list)
    documents: list[DocumentLink] = field(default_factory=list)
    awaited: list[AwaitedAction] = field(default_factory=list)
    relations: set[tuple[int, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Subscribed:
    """The subscription of the item at `position`, not yet with its other orders and changes."""

    position: int
    key: _Key
    subscription: Subscription


def get_order(
    connection: Connection, viewer: Viewer, order_id: int, *, is_opened: bool = False
) -> OrderDetail:
    """The order with everything that belongs to it, in six statements at most.

    `is_opened` puts it on the viewer's list of orders opened last, at no statement more. Raises `OrderNotFound` for an
    order that does not exist and for one outside the viewer's scope, alike.
    """
    details = get_orders(connection, viewer, [order_id], is_opened=is_opened) if is_bigint(order_id) else ()
    if not details:
        raise OrderNotFound
    return details[0]


def check_order(connection: Connection, viewer: Viewer, order_id: int) -> None:
    """Check that the viewer may see the order now; raises `OrderNotFound` as `get_order` does."""
    is_seen = select(orders.c.order_id).where(
        orders.c.order_id == order_id, orders.c.checkout_page_id.in_([store.id for store in viewer.stores])
    )
    if not is_bigint(order_id) or connection.execute(is_seen).one_or_none() is None:
        raise OrderNotFound


def get_orders(
    connection: Connection, viewer: Viewer, order_ids: Sequence[int], *, is_opened: bool = False
) -> tuple[OrderDetail, ...]:
    """Those of these orders that are in scope, in the order asked for; as many statements as for one."""
    statement = order_detail.opening_statement() if is_opened else order_detail.orders_statement()
    scope = [store.id for store in viewer.stores]
    heads = {
        head["order_id"]: head
        for head in connection.execute(
            statement, {"order_ids": list(order_ids), "store_ids": scope}
        ).mappings()
    }
    wanted = [order_id for order_id in order_ids if order_id in heads]
    items, codes, subscribed = _items_of(connection, wanted)
    timeline = _timeline(connection, wanted)
    subscriptions = _subscriptions(connection, {part.key for parts in subscribed.values() for part in parts})
    refunds = find_requests_of(connection, wanted)
    utf8 = find_utf8_for(connection, (head["email"] for head in heads.values()))
    named = mentioned_orders(event.text for order_id in wanted for event in timeline[order_id].events)
    related = {other for order_id in wanted for other, _ in timeline[order_id].relations}
    names = _names(connection, named | related)
    parts = _Parts(items, codes, subscribed, timeline, subscriptions, refunds, utf8, names)
    return tuple(_detail(heads[order_id], parts) for order_id in wanted)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The results of the statements, by order ID; `subscriptions` and `names` are of all the orders."""

    items: Mapping[int, list[RowMapping]]
    codes: Mapping[int, list[ActivationCode]]
    subscribed: Mapping[int, list[_Subscribed]]
    timeline: Mapping[int, _Timeline]
    subscriptions: "_Subscriptions"
    refunds: Mapping[int, list[RefundRequest]]
    utf8: Utf8
    names: dict[int, str]


_OWN_FIELDS: Final = tuple(
    name
    for name in OrderDetail.__slots__
    if name
    not in ("items", "history", "documents", "related", "additional_parameters", "refunds", "awaited", "utf8")
)


def _detail(head: RowMapping, parts: _Parts) -> OrderDetail:
    order_id: int = head["order_id"]
    timeline = parts.timeline[order_id]
    subscriptions = {
        part.position: _with_others(part, order_id, parts)
        for part in parts.subscribed[order_id]
        if shows_subscription(
            part.subscription.type,
            part.subscription.parent_order_id,
            order_id,
            head["paid_at"] is not None,
        )
    }
    return OrderDetail(
        **{name: head[name] for name in _OWN_FIELDS},
        additional_parameters=_pairs(head["additional_parameters"]),
        items=_items(parts.items[order_id], parts.codes[order_id], subscriptions),
        refunds=tuple(parts.refunds[order_id]),
        awaited=tuple(timeline.awaited),
        utf8=parts.utf8,
        history=tuple(
            HistoryEvent(
                event.at, event.kind, split_text(event.text, parts.names), event.author, event.document_id
            )
            for event in timeline.events
        ),
        documents=tuple(reversed(timeline.documents)),
        related=tuple(
            RelatedOrder(other, parts.names.get(other), relation, other in parts.names)
            for other, relation in sorted(timeline.relations)
        ),
    )


def _items_of(
    connection: Connection, order_ids: Sequence[int]
) -> tuple[
    Mapping[int, list[RowMapping]],
    Mapping[int, list[ActivationCode]],
    Mapping[int, list[_Subscribed]],
]:
    """Items, codes and what the items subscribe to, each by order."""
    items: defaultdict[int, list[RowMapping]] = defaultdict(list)
    subscribed: defaultdict[int, list[_Subscribed]] = defaultdict(list)
    codes: defaultdict[int, list[ActivationCode]] = defaultdict(list)
    rows = connection.execute(order_detail.items_statement(), {"order_ids": order_ids})
    for row in rows.mappings():
        order_id, position = row["order_id"], row["position"]
        if not items[order_id] or items[order_id][-1]["position"] != position:
            items[order_id].append(row)
            if row["sub_order_id"] is not None:
                subscribed[order_id].append(_subscribed(row))
        if row["code_id"] is not None:
            codes[order_id].append(
                ActivationCode(
                    row["code_id"],
                    position,
                    row["code_code"],
                    row["code_code_key"],
                    row["code_deleted"],
                    row["code_replaced_at"] is not None,
                    row["queued_at"],
                )
            )
    return items, codes, subscribed


def _subscribed(row: RowMapping) -> _Subscribed:
    plain = [name for name in Subscription.__slots__ if name not in ("related", "events", "is_awaited")]
    return _Subscribed(
        row["position"],
        (row["sub_checkout_page_id"], row["sub_subscription_id"]),
        Subscription(**{name: row[f"sub_{name}"] for name in plain}, related=(), events=(), is_awaited=False),
    )


def _timeline(connection: Connection, order_ids: Sequence[int]) -> Mapping[int, _Timeline]:
    """History, documents, awaited actions and relations by order."""
    timelines: defaultdict[int, _Timeline] = defaultdict(_Timeline)
    for row in connection.execute(order_detail.timeline_statement(), {"order_ids": order_ids}):
        timeline = timelines[row.order_id]
        if row.what == "event":
            timeline.events.append(_Event(row.at, row.kind, row.text, row.author, row.document_id))
        elif row.what == "document":
            timeline.documents.append(DocumentLink(row.id, row.text, row.kind))
        elif row.what == "awaited":
            timeline.awaited.append(action_of_json(row.text, row.kind))
        else:
            timeline.relations.add((row.id, row.kind))
    return timelines


class _Subscriptions(NamedTuple):
    """The orders in scope of each subscription, oldest first, what was done to it, newest first, and those of which a
    change waits to be confirmed."""

    members: defaultdict[_Key, list[RelatedOrder]]
    past: defaultdict[_Key, list[SubscriptionEvent]]
    awaited: set[_Key]


def _subscriptions(connection: Connection, keys: Collection[_Key]) -> _Subscriptions:
    subscriptions = _Subscriptions(defaultdict(list), defaultdict(list), set())
    if not keys:
        return subscriptions
    named = {
        "store_ids": list({store_id for store_id, _ in keys}),
        "subscription_ids": list({subscription_id for _, subscription_id in keys}),
    }
    for row in connection.execute(order_detail.subscriptions_statement(), named):
        key = (row.checkout_page_id, row.subscription_id)
        if row.what == "member":
            relation = "child" if row.parent_order_id not in (None, row.order_id) else "parent"
            subscriptions.members[key].append(RelatedOrder(row.order_id, row.name, relation, True))
        elif row.what == "event":
            subscriptions.past[key].insert(
                0, SubscriptionEvent(row.at, row.action, row.to_status, row.order_id, row.name, row.reason)
            )
        else:
            subscriptions.awaited.add(key)
    return subscriptions


def _names(connection: Connection, order_ids: Iterable[int]) -> dict[int, str]:
    """The names of those of the orders that the viewer may see."""
    wanted = set(order_ids)
    if not wanted:
        return {}
    rows = connection.execute(order_detail.names_statement(), {"order_ids": list(wanted)})
    return {row.order_id: row.order_name for row in rows}


def _items(
    items: Sequence[RowMapping], codes: Sequence[ActivationCode], subscriptions: Mapping[int, Subscription]
) -> tuple[OrderItem, ...]:
    plain = [name for name in OrderItem.__slots__ if name not in ("additional_data", "codes", "subscription")]
    return tuple(
        OrderItem(
            **{name: item[name] for name in plain},
            additional_data=_pairs(item["additional_data"]),
            codes=tuple(code for code in codes if code.position == item["position"]),
            subscription=subscriptions.get(item["position"]),
        )
        for item in items
    )


def _with_others(part: _Subscribed, order_id: int, parts: _Parts) -> Subscription:
    """The subscription with its other orders and with what was done to it."""
    return replace(
        part.subscription,
        related=tuple(other for other in parts.subscriptions.members[part.key] if other.order_id != order_id),
        events=tuple(parts.subscriptions.past[part.key]),
        is_awaited=part.key in parts.subscriptions.awaited,
    )


def _pairs(stored: Iterable[object]) -> tuple[NameValue, ...]:
    """Names and values as other systems may have stored them; anything that is not such a pair is omitted."""
    return tuple(
        NameValue(str(pair.get("name") or ""), str(pair.get("value") or ""))
        for pair in stored
        if isinstance(pair, dict)
    )
