"""Each kind of search against the same rows by hand-written SQL; opening an order; reports.

The service runs as the app's role under row-level security and builds its objects; the SQL runs as the owner. Both in
turn, on connections that are open, with the count. Medians and 95th percentiles in milliseconds.
"""

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bench.orders import fill
from bench.results import p95
from bench.searches import Search, searches
from db import engine
from services.access import get_viewer
from services.order_detail import get_order
from services.order_filter import SearchInput, parse_filter
from services.order_search import count_orders, find_orders
from services.reports import get_report

UTC = ZoneInfo("UTC")


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def prepare(orders: int) -> int:
    """Fills the database; the id of a specialist who sees the large and the middle store."""
    print(f"Filling {orders:,} orders …", flush=True)
    with engine.jobs_transaction() as connection:
        fill(connection, orders)
    with engine.owner_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        return int(connection.execute(text("SELECT id FROM account WHERE name = 'two stores'")).scalar_one())


def compare(name: str, search: Search, account_id: int, rounds: int) -> dict[str, Any]:
    order_filter = parse_filter(search.typed, zone=UTC)
    ours, floors = [], []
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        values = search.values | {"pages": [store.id for store in viewer.stores]}

        def service() -> tuple[list[int], int]:
            page = find_orders(mine, viewer, order_filter)
            return [row.order_id for row in page.rows], count_orders(
                mine, viewer, order_filter, page=page
            ).number

        def floor() -> tuple[list[int], int]:
            rows = owner.execute(search.rows, values).all()
            return [row.order_id for row in rows[:50]], min(
                owner.execute(search.count, values).scalar_one(), 10_000
            )

        assert service() == floor(), f"{name}: not the same rows"
        for _ in range(rounds):
            floors.append(milliseconds(floor))
            ours.append(milliseconds(service))
    return {
        "search": name,
        "ms": statistics.median(ours),
        "p95": p95(ours),
        "floor ms": statistics.median(floors),
        "floor p95": p95(floors),
        "ratio": statistics.median(ours) / statistics.median(floors),
        "p95 ratio": p95(ours) / p95(floors),
    }


def measure(orders: int, rounds: int, account_id: int) -> list[dict[str, Any]]:
    return [compare(name, search, account_id, rounds) for name, search in searches(orders).items()]


def measure_opening(orders: int, rounds: int, account_id: int) -> list[dict[str, Any]]:
    """Opening an order with everything in it, against the same tables read by its ID, one plain statement each."""
    tables = ("orders", "order_item", "activation_code", "subscription", "order_document", "order_history")
    ours, floors = [], []
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        for number in range(rounds):
            order_id = orders // 2 + 13 * number + 1

            def floor(wanted: int = order_id) -> None:
                for name in tables:
                    owner.execute(text(f"SELECT * FROM {name} WHERE order_id = :id"), {"id": wanted}).all()

            def service(wanted: int = order_id) -> None:
                get_order(mine, viewer, wanted)

            floors.append(milliseconds(floor))
            ours.append(milliseconds(service))
    return [
        {
            "what": "open an order",
            "ms": statistics.median(ours),
            "p95": p95(ours),
            "floor ms": statistics.median(floors),
            "ratio": statistics.median(ours) / statistics.median(floors),
        }
    ]


def measure_reports(rounds: int, account_id: int) -> list[dict[str, Any]]:
    """A report of one month and one of everything."""
    month = SearchInput(created_from=date(2025, 11, 1), created_to=date(2025, 11, 30))
    found = []
    for name, typed, number in (("a month", month, rounds), ("everything", SearchInput(), 5)):
        order_filter, times = parse_filter(typed, zone=UTC), []
        with engine.viewer_transaction(account_id) as connection:
            viewer = get_viewer(connection, account_id)
            for _ in range(number):
                times.append(milliseconds(lambda f=order_filter, c=connection, v=viewer: get_report(c, v, f)))
        found.append({"report of": name, "ms": statistics.median(times), "p95": p95(times)})
    return found
