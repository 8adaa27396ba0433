"""The same searches over ten times as many orders: their time and the number of orders they find."""

from collections.abc import Iterable

from bench import orders, search
from bench.database import own_database
from bench.results import Row


def measure(sizes: Iterable[int], rounds: int, earlier: dict[int, list[Row]]) -> list[Row]:
    """One row per kind of search with the milliseconds and the orders found at each size.

    Each size has a database of its own; `earlier` holds the rows of sizes that have been measured.
    """
    measured = dict(earlier)
    for size in sizes:
        if size not in measured:
            with own_database():
                measured[size] = search.measure(rounds, orders.fill(size))
    results: list[Row] = []
    for rows in zip(*(measured[size] for size in sorted(measured)), strict=True):
        line: Row = {"search": rows[0]["search"]}
        for size, row in zip(sorted(measured), rows, strict=True):
            for figure in ("found", "ms", "floor ms"):
                line[f"{size:,}: {figure}"] = row[figure]
        results.append(line)
    return results
