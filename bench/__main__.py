"""`make bench`: how much dearer a search is than the least that PostgreSQL could do for it.

Fills a database of its own with many orders, then times each search of the portal, as the app's role under row-level
security, in turn with a plain lookup of fifty orders by key as the owner (the floor). Machines are noisy, so medians
of pairs and their ratio are what is reported.

    python -m bench [--orders N] [--rounds N]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bench.orders import fill
from db import embedded, engine
from db.migrate import migrate
from services.access import get_viewer
from services.order_filter import SearchInput, parse_filter
from services.order_search import count_orders, find_orders
from services.statuses import MainStatus, RefundStatus

RESULTS = Path(__file__).parent / "results"
FLOOR = "SELECT * FROM orders WHERE order_id BETWEEN :first AND :first + 49 ORDER BY order_id DESC"
# What is typed, and whose search it is: "small" sees one order in ten thousand.
SEARCHES: dict[str, tuple[str, SearchInput]] = {
    "newest orders": ("all", SearchInput()),
    "newest orders, small store": ("small", SearchInput()),
    "one email": ("all", SearchInput(email="CUSTOMER4711@example.com")),
    "one phone number": ("all", SearchInput(phone="+49 (30) 0004711")),
    "a common first name": ("all", SearchInput(first_name="anna")),
    "a rare status": ("all", SearchInput(statuses=frozenset({MainStatus.TERMINATED}))),
    "a refund status nobody has": ("all", SearchInput(refunds=frozenset({RefundStatus.UPDATING}))),
    "one day": ("all", SearchInput(created_from=date(2025, 11, 20))),
    "card and first name": ("all", SearchInput(card_last_4="4711", first_name="Boris")),
    "part of a code (6)": ("all", SearchInput(activation_code="ab12-c")),
    "part of a code (3)": ("all", SearchInput(activation_code="ab1")),
    "10,000 IDs": ("all", SearchInput(order_ids=" ".join(str(n) for n in range(1, 10_001)))),
}


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench")
    options.add_argument("--orders", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="esupport-bench-") as folder:
        os.environ.pop("DATABASE_URL", None)
        os.environ["ESUPPORT_DATA"] = folder
        try:
            rows = measure(given.orders, given.rounds)
        finally:
            engine.dispose_engines()
            embedded.stop(Path(folder))
    print(f"\n{given.orders:,} orders, medians of {given.rounds} rounds, each in turn with the floor\n")
    print("| search | page, ms | with its count, ms | page / floor |\n|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['search']} | {row['page_ms']:.1f} | {row['page_and_count_ms']:.1f} | {row['ratio']:.1f} |"
        )
    RESULTS.mkdir(exist_ok=True)
    result = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "orders": given.orders, "rows": rows}
    (RESULTS / "search.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(orders: int, rounds: int) -> list[dict[str, object]]:
    migrate(engine.owner_url())
    print(f"Filling {orders:,} orders …", flush=True)
    with engine.jobs_transaction() as connection:
        fill(connection, orders)
    with engine.owner_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        accounts = {row.name: row.id for row in connection.execute(text("SELECT name, id FROM account"))}
    return [one(name, accounts[who], typed, orders, rounds) for name, (who, typed) in SEARCHES.items()]


def one(name: str, account_id: int, typed: SearchInput, orders: int, rounds: int) -> dict[str, object]:
    order_filter = parse_filter(typed, zone=ZoneInfo("UTC"))
    pages, counts, floors, ratios = [], [], [], []
    for number in range(rounds + 1):
        with engine.owner_engine().begin() as connection:
            first = orders * (number + 1) // (rounds + 2)
            floor = timed(lambda c=connection, f=first: c.execute(text(FLOOR), {"first": f}).all())
        with engine.viewer_transaction(account_id) as connection:
            viewer = get_viewer(connection, account_id)
            page = timed(lambda c=connection, v=viewer: find_orders(c, v, order_filter))
            count = timed(lambda c=connection, v=viewer: count_orders(c, v, order_filter))
        if number:  # the first round warms both
            pages.append(page)
            counts.append(page + count)
            floors.append(floor)
            ratios.append(page / floor)
    return {
        "search": name,
        "page_ms": statistics.median(pages),
        "page_and_count_ms": statistics.median(counts),
        "floor_ms": statistics.median(floors),
        "ratio": statistics.median(ratios),
    }


if __name__ == "__main__":
    main()
