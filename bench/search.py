"""Each kind of search, against hand-written SQL for the same rows.

The service runs as the app's role under row-level security and builds its objects; the SQL runs as the owner. They take
turns on open connections, and both count. Medians and 95th percentiles are in milliseconds.
"""

import statistics
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bench.results import Row, milliseconds, p95, yes
from bench.searches import Search, searches
from db.connections import engine
from services.access import Viewer, get_viewer
from services.orders.filters import OrderFilter, parse_filter
from services.orders.search import EXACT_TO, count_orders, find_orders

UTC = ZoneInfo("UTC")


class Result(NamedTuple):
    """The orders of the first page of rows, and how many orders there are in all."""

    order_ids: list[int]
    number: int


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row per kind of search. Raises `AssertionError` when the service and the SQL find different orders."""
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
        result = by_service(mine, viewer, order_filter)
        assert result == by_hand(owner, search, store_ids), f"{kind}: not the same rows"
        assert result.number > 0, f"{kind}: no order is found"
        numbers.append(result.number)
    ours, floors = [], []
    for number in range(rounds):
        search, order_filter = about[number % len(about)], checked[number % len(about)]
        floors.append(milliseconds(partial(by_hand, owner, search, store_ids)))
        ours.append(milliseconds(partial(by_service, mine, viewer, order_filter)))
    return {"search": kind, "found": round(statistics.median(numbers)), **against(ours, floors)}


def by_service(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> Result:
    page = find_orders(connection, viewer, order_filter)
    number = count_orders(connection, viewer, order_filter, page=page).number
    return Result([row.order_id for row in page.rows], number)


def by_hand(connection: Connection, search: Search, store_ids: list[int]) -> Result:
    values = search.values | {"stores": store_ids}
    rows = connection.execute(search.rows, values).all()
    number = min(connection.execute(search.count, values).scalar_one(), EXACT_TO)
    return Result([row.order_id for row in rows[:50]], number)


def against(ours: list[float], floors: list[float]) -> Row:
    """The figures, and whether they meet the target.

    The median may be 1.5 times the floor's, or 1.5 ms above it if that is more; the 95th percentile may be twice that.
    """
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
