"""One order in full: everything that the Orders page shows of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from db.schema.order_tables import orders, subscription
from db.statements import order_detail
from services.access import Viewer
from services.errors import OrderNotFound
from services.events.awaiting import action_of_json
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

_ByOrder = defaultdict[int, list[Any]]


def get_order(connection: Connection, viewer: Viewer, order_id: int) -> OrderDetail:
    """The order with everything that belongs to it, in six statements at most.

    Raises `OrderNotFound` for an order that does not exist and for one outside the viewer's scope, alike.
    """
    found = get_orders(connection, viewer, [order_id]) if is_bigint(order_id) else ()
    if not found:
        raise OrderNotFound
    return found[0]


def check_order(connection: Connection, viewer: Viewer, order_id: int) -> None:
    """Whether the viewer may see the order now; raises `OrderNotFound` as `get_order` does."""
    is_seen = select(orders.c.order_id).where(
        orders.c.order_id == order_id, orders.c.checkout_page_id.in_([store.id for store in viewer.stores])
    )
    if not is_bigint(order_id) or connection.execute(is_seen).one_or_none() is None:
        raise OrderNotFound


def get_orders(connection: Connection, viewer: Viewer, order_ids: Sequence[int]) -> tuple[OrderDetail, ...]:
    """Those of these orders that are in scope, in the order asked for; as many statements as for one."""
    scope = [store.id for store in viewer.stores]
    heads = {
        row.order_id: row
        for row in connection.execute(
            order_detail.orders_statement(), {"order_ids": list(order_ids), "store_ids": scope}
        )
    }
    wanted = [order_id for order_id in order_ids if order_id in heads]
    items, codes, carried = _items_of(connection, wanted)
    happened = _happenings(connection, wanted)
    subscribed = _subscriptions(connection, [s for found in carried.values() for s in found])
    refunds = find_requests_of(connection, wanted)
    utf8 = find_utf8_for(connection, (head.email for head in heads.values()))
    texts = {order_id: [row.text for row in happened[order_id]["event"]] for order_id in wanted}
    relations = {
        order_id: {(row.id, row.kind) for row in happened[order_id]["relation"]} for order_id in wanted
    }
    named = mentioned_orders(text for found in texts.values() for text in found)
    names = _names(connection, named.union(other for found in relations.values() for other, _ in found))
    parts = _Parts(items, codes, carried, happened, subscribed, refunds, utf8, relations, names)
    return tuple(_detail(heads[order_id], parts) for order_id in wanted)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the statements gave, by order ID; `subscribed` and `names` are of all of the orders."""

    # The rows of several statements, each with columns of its own, read by name.
    items: Mapping[int, list[Any]]
    codes: Mapping[int, list[ActivationCode]]
    subscriptions: Mapping[int, list[Any]]
    timeline: Mapping[int, Mapping[str, list[Any]]]
    subscribed: "_Subscribed"
    refunds: Mapping[int, list[RefundRequest]]
    utf8: Utf8
    relations: Mapping[int, set[tuple[int, str]]]
    names: dict[int, str]


_OWN_FIELDS: Final = tuple(
    name
    for name in OrderDetail.__slots__
    if name
    not in ("items", "history", "documents", "related", "additional_parameters", "refunds", "awaited", "utf8")
)


def _detail(head: Any, parts: _Parts) -> OrderDetail:
    order_id = head.order_id
    subscriptions = {
        row.position: _subscription(head, row, parts.subscribed)
        for row in parts.subscriptions[order_id]
        if shows_subscription(row.type, row.parent_order_id, order_id, head.paid_at is not None)
    }
    return OrderDetail(
        **{name: getattr(head, name) for name in _OWN_FIELDS},
        additional_parameters=_pairs(head.additional_parameters),
        items=_items(head, parts.items[order_id], parts.codes[order_id], subscriptions),
        refunds=tuple(parts.refunds[order_id]),
        awaited=tuple(action_of_json(row.text, row.kind) for row in parts.timeline[order_id]["awaited"]),
        utf8=parts.utf8,
        history=tuple(
            HistoryEvent(row.at, row.kind, split_text(row.text, parts.names), row.author, row.document_id)
            for row in parts.timeline[order_id]["event"]
        ),
        documents=tuple(
            DocumentLink(row.id, row.text, row.kind) for row in reversed(parts.timeline[order_id]["document"])
        ),
        related=tuple(
            RelatedOrder(other, parts.names.get(other), relation, other in parts.names)
            for other, relation in sorted(parts.relations[order_id])
        ),
    )


def _items_of(
    connection: Connection, order_ids: Sequence[int]
) -> tuple[_ByOrder, defaultdict[int, list[ActivationCode]], _ByOrder]:
    """Items, codes and what the items subscribe to, each by order."""
    items: _ByOrder = defaultdict(list)
    carried: _ByOrder = defaultdict(list)
    codes: defaultdict[int, list[ActivationCode]] = defaultdict(list)
    for row in connection.execute(order_detail.items_statement(), {"order_ids": order_ids}):
        known = items[row.order_id]
        if not known or known[-1].position != row.position:
            known.append(row)
            if row.sub_order_id is not None:
                values = {name: getattr(row, f"sub_{name}") for name in subscription.c.keys()}  # noqa: SIM118
                carried[row.order_id].append(SimpleNamespace(**values))
        if row.code_id is not None:
            codes[row.order_id].append(
                ActivationCode(
                    row.code_id,
                    row.position,
                    row.code_code,
                    row.code_code_key,
                    row.code_deleted,
                    row.queued_at,
                )
            )
    return items, codes, carried


def _happenings(
    connection: Connection, order_ids: Sequence[int]
) -> defaultdict[int, defaultdict[str, list[Any]]]:
    """History, documents and relations by order and by what they are."""
    found: defaultdict[int, defaultdict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in connection.execute(order_detail.timeline_statement(), {"order_ids": order_ids}):
        found[row.order_id][row.what].append(row)
    return found


_Key = tuple[int, str]  # a store and the ID of a subscription in it


class _Subscribed(NamedTuple):
    """Of each subscription: its orders in scope, oldest first, what was done to it, newest first, and what waits."""

    members: defaultdict[_Key, list[RelatedOrder]]
    past: defaultdict[_Key, list[SubscriptionEvent]]
    awaited: set[_Key]


def _subscriptions(connection: Connection, subscriptions: Sequence[Any]) -> _Subscribed:
    subscribed = _Subscribed(defaultdict(list), defaultdict(list), set())
    if not subscriptions:
        return subscribed
    named = {
        "store_ids": list({s.checkout_page_id for s in subscriptions}),
        "subscription_ids": list({s.subscription_id for s in subscriptions}),
    }
    for row in connection.execute(order_detail.subscriptions_statement(), named):
        key = (row.checkout_page_id, row.subscription_id)
        if row.what == "member":
            relation = "child" if row.parent_order_id not in (None, row.order_id) else "parent"
            subscribed.members[key].append(RelatedOrder(row.order_id, row.name, relation, True))
        elif row.what == "event":
            subscribed.past[key].insert(
                0, SubscriptionEvent(row.at, row.action, row.to_status, row.order_id, row.name, row.reason)
            )
        else:
            subscribed.awaited.add(key)
    return subscribed


def _names(connection: Connection, order_ids: Iterable[int]) -> dict[int, str]:
    """The names of those of the orders that the viewer may see."""
    wanted = set(order_ids)
    if not wanted:
        return {}
    rows = connection.execute(order_detail.names_statement(), {"order_ids": list(wanted)})
    return {row.order_id: row.order_name for row in rows}


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


def _subscription(head: Any, carried: Any, subscribed: _Subscribed) -> Subscription:
    key = (carried.checkout_page_id, carried.subscription_id)
    return Subscription(
        **{
            name: getattr(carried, name)
            for name in Subscription.__slots__
            if name not in ("related", "events", "is_awaited")
        },
        related=tuple(other for other in subscribed.members[key] if other.order_id != head.order_id),
        events=tuple(subscribed.past[key]),
        is_awaited=key in subscribed.awaited,
    )


def _pairs(stored: Any) -> tuple[NameValue, ...]:
    """Names and values as other systems may have written them: anything that is no such pair is left out."""
    return tuple(
        NameValue(str(pair.get("name") or ""), str(pair.get("value") or ""))
        for pair in stored
        if isinstance(pair, dict)
    )
