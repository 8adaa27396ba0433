"""The same searches over ten times as many orders: what a search costs, and how much it finds."""

from collections.abc import Iterable

from bench import orders, search
from bench.database import own_database
from bench.results import Row


def measure(sizes: Iterable[int], rounds: int, known: dict[int, list[Row]]) -> list[Row]:
    """One row a kind of search with the milliseconds and the orders found at each size, each in a database of its own;
    `known` are the sizes that were measured before."""
    measured = dict(known)
    for size in sizes:
        if size not in measured:
            with own_database():
                measured[size] = search.measure(rounds, orders.fill(size))
    found: list[Row] = []
    for rows in zip(*(measured[size] for size in sorted(measured)), strict=True):
        line: Row = {"search": rows[0]["search"]}
        for size, row in zip(sorted(measured), rows, strict=True):
            for figure in ("found", "ms", "floor ms"):
                line[f"{size:,}: {figure}"] = row[figure]
        found.append(line)
    return found
