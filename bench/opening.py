"""Opening an order with all its parts, against the same rows by plain statements as the owner, one per table.

The orders have renewals, documents, refunds or related orders, or are any orders.
"""

import statistics
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from bench.orders import SEEN
from bench.results import Row, milliseconds, p95, yes
from db.connections import engine
from services.access import get_viewer
from services.orders.detail import get_order
from services.orders.models import OrderDetail

_KINDS = {
    "with a renewal": "order_id IN (SELECT s.order_id FROM subscription s WHERE s.parent_order_id IS NOT NULL)",
    "with documents": "order_id IN (SELECT d.order_id FROM order_document d)",
    "with a refund": "refund_status IS NOT NULL",
    "bought together": "order_id IN (SELECT r.order_id FROM order_relation r WHERE r.relation = 'typo')",
    "any": "true",
}
_PARTS = {
    "order": "SELECT o.*, p.name, p.delivery_allowed, p.refund_again_after_partial FROM orders o "
    "JOIN checkout_page p ON p.id = o.checkout_page_id WHERE o.order_id = :id",
    "items": "SELECT * FROM order_item WHERE order_id = :id ORDER BY position",
    "codes": "SELECT * FROM activation_code WHERE order_id = :id ORDER BY position, number",
    "subscriptions": "SELECT * FROM subscription WHERE order_id = :id",
    "documents": "SELECT id, name, kind FROM order_document WHERE order_id = :id",
    "history": "SELECT * FROM order_history WHERE order_id = :id ORDER BY at DESC, id DESC",
    "related": "SELECT related_order_id, relation FROM order_relation WHERE order_id = :id UNION SELECT order_id, "
    "CASE relation WHEN 'parent' THEN 'child' WHEN 'child' THEN 'parent' ELSE relation END FROM order_relation "
    "WHERE related_order_id = :id",
    "waiting mails": "SELECT position, number, queued_at FROM mail WHERE order_id = :id AND state = 'queued'",
    "refunds": "SELECT * FROM refund_request WHERE order_id = :id ORDER BY id DESC",
}
_MEMBERS = text(
    "SELECT s.order_id, s.parent_order_id, o.order_name FROM subscription s JOIN orders o USING (order_id) "
    "WHERE s.checkout_page_id = :store AND s.subscription_id = :subscription ORDER BY o.created_at"
)
_EVENTS = text(
    "SELECT * FROM subscription_event WHERE checkout_page_id = :store AND subscription_id = :subscription"
)
_NAMES = text("SELECT order_id, order_name FROM orders WHERE order_id = ANY(:ids)")
_STATEMENTS = {name: text(statement) for name, statement in _PARTS.items()}


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row per kind of order. Raises `AssertionError` when the service and the statements find different rows."""
    results = []
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        for kind, condition in _KINDS.items():
            ours, floors = [], []
            orders = _examples(owner, condition)
            assert orders, f"{kind}: no such order"
            for number in range(rounds):
                order_id = orders[number % len(orders)]
                floors.append(milliseconds(partial(by_hand, owner, order_id)))
                ours.append(milliseconds(partial(get_order, mine, viewer, order_id)))
            for order_id in orders[:5]:
                assert sizes(get_order(mine, viewer, order_id)) == by_hand(owner, order_id), kind
            ratio = statistics.median(ours) / statistics.median(floors)
            results.append(
                {
                    "order": kind,
                    "ms": statistics.median(ours),
                    "p95": p95(ours),
                    "floor ms": statistics.median(floors),
                    "floor p95": p95(floors),
                    "ratio": ratio,
                    "target met": yes(ratio <= 2),
                }
            )
    return results


def by_hand(connection: Connection, order_id: int) -> dict[str, int]:
    """Read everything that an open order shows; return how many rows each part has."""
    # Any: the rows of each statement have columns of their own.
    rows: dict[str, Any] = {
        name: connection.execute(statement, {"id": order_id}).all() for name, statement in _STATEMENTS.items()
    }
    for subscription in rows["subscriptions"]:
        which = {"store": subscription.checkout_page_id, "subscription": subscription.subscription_id}
        connection.execute(_MEMBERS, which).all()
        connection.execute(_EVENTS, which).all()
    if related_ids := [row.related_order_id for row in rows["related"]]:
        connection.execute(_NAMES, {"ids": related_ids}).all()
    return {
        name: len(rows[name]) for name in ("items", "codes", "documents", "history", "related", "refunds")
    }


def sizes(order: OrderDetail) -> dict[str, int]:
    """How many rows each part of an opened order has."""
    return {
        "items": len(order.items),
        "codes": sum(len(item.codes) for item in order.items),
        "documents": len(order.documents),
        "history": len(order.history),
        "related": len(order.related),
        "refunds": len(order.refunds),
    }


def _examples(connection: Connection, condition: str) -> list[int]:
    """Up to fifty orders in the specialist's stores, shuffled in the same way every time."""
    statement = text(
        f"SELECT order_id FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE {condition} "
        "AND p.name = ANY(:seen) ORDER BY md5(order_id::text) LIMIT 50"
    )
    return list(connection.execute(statement, {"seen": list(SEEN)}).scalars())
