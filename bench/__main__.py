"""`make bench`: what the portal costs beside the least that could do the same, in turn, on a database of its own.

    python -m bench [--orders N] [--rounds N] [--only search,export] [--growth 10000,100000]

Machines are noisy, so medians, 95th percentiles and ratios are what is reported; see the modules of this folder.
"""

import argparse
import time
from collections.abc import Callable

from bench import exports, growth, imports, opening, orders, reports, search
from bench.database import own_database
from bench.results import Row, save, table

# The parts that need nothing but the database, by the name that --only knows them by: (title, rounds, account).
PARTS: dict[str, tuple[str, Callable[[int, int], list[Row]]]] = {
    "search": ("Searching, with the count, against hand-written SQL", search.measure),
    "opening": ("Opening an order, against a plain statement a table", opening.measure),
    "report": ("Reports", reports.measure),
    "export": ("Exporting everything, against COPY of the same columns", exports.measure),
    "import": ("Importing documents, against COPY of the same rows", imports.measure),
}


SIZES = (10_000, 100_000, 1_000_000)


def main() -> None:
    given = _options().parse_args()
    found: dict[str, list[Row]] = {}
    with own_database():
        print(f"Filling {given.orders:,} orders …", flush=True)
        start = time.monotonic()
        account_id = orders.fill(given.orders)
        print(f"… took {time.monotonic() - start:.0f} seconds.", flush=True)
        for name in PARTS:
            if name in given.only:
                found[name] = _report(name, given.orders, PARTS[name][1](given.rounds, account_id))
    if "growth" in given.only:
        known = {given.orders: found["search"]} if "search" in found else {}
        sizes = [size for size in SIZES if size < given.orders] + [given.orders]
        _report("growth", given.orders, growth.measure(sizes, given.rounds, known))


def _report(name: str, number: int, rows: list[Row]) -> list[Row]:
    title = PARTS[name][0] if name in PARTS else "The same searches over ten times as many orders"
    table(f"{title} ({number:,} orders)", rows)
    save(name, number, rows)
    return rows


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    options.add_argument("--orders", type=int, default=200_000, help="how many orders (200,000)")
    options.add_argument("--rounds", type=int, default=41, help="how often each thing is done (41)")
    known = [*PARTS, "growth"]
    options.add_argument(
        "--only",
        type=lambda names: _among(names.split(","), known),
        default=known,
        metavar="PARTS",
        help=f"some parts only, with commas between: {', '.join(known)}",
    )
    return options


def _among(names: list[str], known: list[str]) -> list[str]:
    if strange := set(names) - set(known):
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(sorted(strange))}")
    return names


if __name__ == "__main__":
    main()
