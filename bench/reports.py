"""Times of two reports, one of a month and one of all orders, in milliseconds."""

import statistics
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from bench.results import Row, milliseconds, p95
from db.connections import engine
from services.access import get_viewer
from services.orders.filters import SearchInput, parse_filter
from services.reports import get_report


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row per report; the report of all orders is made five times."""
    month = SearchInput(created_from=date(2026, 9, 1), created_to=date(2026, 9, 30))
    results: list[Row] = []
    for name, typed, number in (("a month", month, rounds), ("everything", SearchInput(), 5)):
        order_filter, times = parse_filter(typed, zone=ZoneInfo("UTC")), []
        with engine.viewer_transaction(account_id) as connection:
            viewer = get_viewer(connection, account_id)
            for _ in range(number):
                times.append(milliseconds(partial(get_report, connection, viewer, order_filter)))
        results.append({"report of": name, "ms": statistics.median(times), "p95": p95(times)})
    return results
