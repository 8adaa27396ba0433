"""`make bench`: the portal against the least code that could do the same, in turn, on a database of its own.

    python -m bench [--orders N] [--rounds N] [--only search,export]

Machines are noisy, so medians, 95th percentiles and ratios are reported. Each module of this folder measures one part.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial

from bench import (
    box,
    bulk,
    clicks,
    customers,
    downloads,
    exports,
    growth,
    hooks,
    imports,
    opening,
    orders,
    people,
    reports,
    search,
)
from bench.database import own_database
from bench.results import Row, save, table

Measure = Callable[[int, int], list[Row]]
# The parts that share one database, by their names for --only: the title, and the function that takes the number of
# rounds and the account.
PARTS: dict[str, tuple[str, Measure]] = {
    "search": ("Searching, with the count, against hand-written SQL", search.measure),
    "box": ("The search box, against the form", box.measure),
    "opening": ("Opening an order, against a plain statement per table", opening.measure),
    "customer": ("Opening a customer's page, against a plain statement per part", customers.measure),
    "report": ("Reports", reports.measure),
    "export": ("Exporting everything, against COPY of the same columns", exports.measure),
    "download": ("The same over HTTP, while another person clicks", downloads.measure),
    "import": ("Importing documents, against COPY of the same rows", imports.measure),
    "clicks": ("Clicks in Chromium, against a plain page of the same size", clicks.measure),
    "hooks": ("Connections: messages in, events out", hooks.measure),
    "bulk": ("Many orders at once", bulk.measure),
    "people": ("People at one process, a click every two seconds each", people.measure),
}
GROWTH = "The same searches over more orders"
SIZES = (10_000, 100_000, 1_000_000)


def main() -> int:
    """Measure the chosen parts; return the exit status, 1 when a part failed. The other parts run in any case."""
    options = _options().parse_args()
    measured: dict[str, list[Row]] = {}
    with own_database():
        print(f"Filling {options.orders:,} orders …", flush=True)
        start = time.monotonic()
        account_id = orders.fill(options.orders)
        print(f"… took {time.monotonic() - start:.0f} seconds.", flush=True)
        for name, (title, measure) in PARTS.items():
            if name in options.only and (
                rows := _rows_or_none(name, partial(_measure_signed_in, account_id, measure, options.rounds))
            ):
                measured[name] = rows
                table(f"{title} ({options.orders:,} orders)", rows)
                save(name, options.orders, rows)
        if "growth" in options.only:
            searched = {options.orders: measured["search"]} if "search" in measured else {}
            sizes = [*(size for size in SIZES if size < options.orders), options.orders]
            if rows := _rows_or_none("growth", partial(growth.measure, sizes, options.rounds, searched)):
                measured["growth"] = rows
                table(GROWTH, rows)
                save("growth", options.orders, rows)
    return 0 if set(measured) == set(options.only) else 1


def _measure_signed_in(account_id: int, measure: Measure, rounds: int) -> list[Row]:
    """Measure in a new session: one that a long part before it did not use would have ended."""
    return measure(rounds, orders.signed_in(account_id))


def _rows_or_none(name: str, measure: Callable[[], list[Row]]) -> list[Row]:
    """Measure a part; return no rows when it fails. The error is printed at once, and the other parts go on."""
    try:
        return measure()
    except Exception:
        traceback.print_exc()
        print(f"\n{name} could not be measured.", file=sys.stderr, flush=True)
        return []


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    options.add_argument("--orders", type=int, default=200_000, help="how many orders (200,000)")
    options.add_argument("--rounds", type=int, default=41, help="how often each measurement is repeated (41)")
    parts = [*PARTS, "growth"]
    options.add_argument(
        "--only",
        type=lambda names: _check_parts(names.split(","), parts),
        default=parts,
        metavar="PARTS",
        help=f"only these parts, separated by commas: {', '.join(parts)}",
    )
    return options


def _check_parts(names: list[str], parts: list[str]) -> list[str]:
    if unknown := set(names) - set(parts):
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
