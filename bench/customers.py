"""Opening a customer's page, against the same rows by plain statements as the owner, one per part."""

import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, text

from bench.orders import SEEN
from bench.results import Row, milliseconds, p95, yes
from db.connections import engine
from services.access import get_viewer
from services.customers.models import CustomerPage
from services.customers.page import find_customer

# By the number of orders that have the same e-mail in the specialist's stores.
_KINDS: Final = {"1 order": (1, 1), "2 to 20 orders": (2, 20), "over 100 orders": (101, 10**9)}
_SAME = "checkout_page_id = ANY(:stores) AND email_key = :email"
_PARTS: Final = {
    "sums": f"SELECT currency, count(*), sum(total) FILTER (WHERE paid_at IS NOT NULL), min(created_at), "
    f"max(created_at) FROM orders WHERE {_SAME} GROUP BY currency",
    "refunds": f"SELECT o.currency, sum(r.amount) FROM orders o JOIN refund_request r USING (order_id) "
    f"WHERE {_SAME.replace('checkout_page_id', 'o.checkout_page_id')} AND r.status = 'completed' GROUP BY o.currency",
    "renewals": "SELECT DISTINCT ON (s.checkout_page_id, s.subscription_id) s.*, o.order_name, i.name FROM orders o "
    "JOIN subscription s USING (order_id) JOIN order_item i ON i.order_id = s.order_id AND i.position = s.position "
    "WHERE o.checkout_page_id = ANY(:stores) AND o.email_key = :email AND o.active_subscription "
    "AND s.status <> 'cancelled' AND s.type IN ('AR', 'PMR') "
    "AND (o.paid_at IS NOT NULL OR s.parent_order_id <> o.order_id) "
    "ORDER BY s.checkout_page_id, s.subscription_id, o.created_at DESC",
    "orders": f"SELECT * FROM orders WHERE {_SAME} ORDER BY created_at DESC, order_id DESC LIMIT 51",
}
_OF_ORDERS: Final = {
    "items": "SELECT * FROM order_item WHERE order_id = ANY(:ids) ORDER BY order_id, position",
    "codes": "SELECT * FROM activation_code WHERE order_id = ANY(:ids) ORDER BY order_id, position, number",
    "lines": "SELECT * FROM order_history WHERE order_id = ANY(:ids) AND kind IN ('email', 'note') "
    "ORDER BY at DESC, id DESC LIMIT 200",
}
_PHONES: Final = "SELECT count(*) FROM orders WHERE checkout_page_id = ANY(:stores) AND phone_key = :phone"


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row per size of customer. Raises `AssertionError` when the service and the statements find different rows."""
    results = []
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        for kind, (fewest, most) in _KINDS.items():
            orders = _examples(owner, viewer.store_ids, fewest, most)
            if not orders:
                continue
            ours, floors = [], []
            for number in range(rounds):
                order_id = orders[number % len(orders)]
                floors.append(milliseconds(partial(by_hand, owner, order_id, viewer.store_ids)))
                ours.append(milliseconds(partial(find_customer, mine, viewer, order_id)))
            for order_id in orders[:5]:
                assert sizes(find_customer(mine, viewer, order_id)) == by_hand(
                    owner, order_id, viewer.store_ids
                ), kind
            ratio = statistics.median(ours) / statistics.median(floors)
            results.append(
                {
                    "customer": kind,
                    "ms": statistics.median(ours),
                    "p95": p95(ours),
                    "floor ms": statistics.median(floors),
                    "floor p95": p95(floors),
                    "ratio": ratio,
                    "target met": yes(ratio <= 2),
                }
            )
    return results


def by_hand(connection: Connection, order_id: int, store_ids: Sequence[int]) -> dict[str, int]:
    """Read everything that the page shows; return how many rows each part has."""
    person = connection.execute(text("SELECT * FROM orders WHERE order_id = :id"), {"id": order_id}).one()
    same = {"stores": list(store_ids), "email": person.email_key}
    # Any: the rows of each statement have columns of their own.
    rows: dict[str, Any] = {name: connection.execute(text(part), same).all() for name, part in _PARTS.items()}
    connection.execute(text(_PHONES), same | {"phone": person.phone_key}).all()
    ids = [row.order_id for row in rows["orders"][:50]]
    rows |= {name: connection.execute(text(part), {"ids": ids}).all() for name, part in _OF_ORDERS.items()}
    return {
        "currencies": len(rows["sums"]),
        "renewals": len(rows["renewals"]),
        "orders": len(ids),
        "items": len(rows["items"]),
        "codes": len(rows["codes"]),
        "lines": len(rows["lines"]),
    }


def sizes(page: CustomerPage) -> dict[str, int]:
    """How many rows each part of the page has."""
    items = [item for order in page.orders for item in order.items]
    return {
        "currencies": len(page.sums),
        "renewals": page.renewals_number,
        "orders": len(page.orders),
        "items": len(items),
        "codes": sum(len(item.codes) for item in items),
        "lines": len(page.lines),
    }


def _examples(connection: Connection, store_ids: Sequence[int], fewest: int, most: int) -> list[int]:
    """Up to twenty orders of different customers of this size, shuffled in the same way every time."""
    statement = text(
        "SELECT min(order_id) FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = ANY(:seen) "
        "AND p.id = ANY(:stores) AND email_key IS NOT NULL GROUP BY email_key "
        "HAVING count(*) BETWEEN :fewest AND :most ORDER BY md5(email_key) LIMIT 20"
    )
    values = {"seen": list(SEEN), "stores": list(store_ids), "fewest": fewest, "most": most}
    return list(connection.execute(statement, values).scalars())
