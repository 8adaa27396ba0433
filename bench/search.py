"""Each kind of search against the same rows by hand-written SQL.

The service runs as the app's role under row-level security and builds its objects; the SQL runs as the owner. Both in
turn, on connections that are open, with the count. Medians and 95th percentiles in milliseconds.
"""

import statistics
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bench.results import Row, milliseconds, p95, yes
from bench.searches import Search, searches
from db.connections import engine
from services.access import Viewer, get_viewer
from services.orders.filters import OrderFilter, parse_filter
from services.orders.search import EXACT_TO, count_orders, find_orders

UTC = ZoneInfo("UTC")
Found = tuple[list[int], int]


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row a kind of search; raises `AssertionError` when the service and the SQL find different orders."""
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        return [_compare(kind, about, mine, owner, viewer, rounds) for kind, about in searches(owner).items()]


def _compare(
    kind: str, about: list[Search], mine: Connection, owner: Connection, viewer: Viewer, rounds: int
) -> Row:
    checked = [parse_filter(search.typed, zone=UTC) for search in about]
    store_ids = [store.id for store in viewer.stores]
    numbers = []
    for search, order_filter in zip(about, checked, strict=True):
        found = by_service(mine, viewer, order_filter)
        assert found == by_hand(owner, search, store_ids), f"{kind}: not the same rows"
        assert found[1] > 0, f"{kind}: nothing is found"
        numbers.append(found[1])
    ours, floors = [], []
    for number in range(rounds):
        search, order_filter = about[number % len(about)], checked[number % len(about)]
        floors.append(milliseconds(partial(by_hand, owner, search, store_ids)))
        ours.append(milliseconds(partial(by_service, mine, viewer, order_filter)))
    return {"search": kind, "found": round(statistics.median(numbers)), **against(ours, floors)}


def by_service(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> Found:
    page = find_orders(connection, viewer, order_filter)
    number = count_orders(connection, viewer, order_filter, page=page).number
    return [row.order_id for row in page.rows], number


def by_hand(connection: Connection, search: Search, store_ids: list[int]) -> Found:
    values = search.values | {"store_ids": store_ids}
    rows = connection.execute(search.rows, values).all()
    return [row.order_id for row in rows[:50]], min(
        connection.execute(search.count, values).scalar_one(), EXACT_TO
    )


def against(ours: list[float], floors: list[float]) -> Row:
    """The figures, and whether the median is at most half as much again as the floor's or 1.5 ms more, and the 95th
    percentile at most twice that."""
    median, floor = statistics.median(ours), statistics.median(floors)
    allowed = max(1.5 * floor, floor + 1.5)
    return {
        "ms": median,
        "p95": p95(ours),
        "floor ms": floor,
        "floor p95": p95(floors),
        "ratio": median / floor,
        "target met": yes(median <= allowed and p95(ours) <= 2 * allowed),
    }
