"""`make bench`: what the portal costs beside the least that could do the same, in turn, on a database of its own.

    python -m bench [--orders N] [--rounds N] [--only search,export]

Machines are noisy, so medians, 95th percentiles and ratios are what is reported; see the modules of this folder.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial

from bench import clicks, downloads, exports, growth, imports, opening, orders, people, reports, search
from bench.database import own_database
from bench.results import Row, save, table

Measure = Callable[[int, int], list[Row]]
# What is measured over one database: the name that --only knows it by, its title, and how often and whose searches.
PARTS: dict[str, tuple[str, Measure]] = {
    "search": ("Searching, with the count, against hand-written SQL", search.measure),
    "opening": ("Opening an order, against a plain statement a table", opening.measure),
    "report": ("Reports", reports.measure),
    "export": ("Exporting everything, against COPY of the same columns", exports.measure),
    "download": ("The same over HTTP, with somebody else's clicks meanwhile", downloads.measure),
    "import": ("Importing documents, against COPY of the same rows", imports.measure),
    "clicks": ("Clicks in Chromium, against a plain page of the same size", clicks.measure),
    "people": ("People at one process, a click every two seconds each", people.measure),
}
GROWTH = "The same searches over more orders"
SIZES = (10_000, 100_000, 1_000_000)


def main() -> int:
    """The exit status: 1 when a part could not be measured; the others are all the same."""
    given = _options().parse_args()
    found: dict[str, list[Row]] = {}
    with own_database():
        print(f"Filling {given.orders:,} orders …", flush=True)
        start = time.monotonic()
        account_id = orders.fill(given.orders)
        print(f"… took {time.monotonic() - start:.0f} seconds.", flush=True)
        for name, (title, measure) in PARTS.items():
            if name in given.only and (
                rows := _measured(name, partial(_as, account_id, measure, given.rounds))
            ):
                found[name] = rows
                table(f"{title} ({given.orders:,} orders)", rows)
                save(name, given.orders, rows)
        if "growth" in given.only:
            known = {given.orders: found["search"]} if "search" in found else {}
            sizes = [*(size for size in SIZES if size < given.orders), given.orders]
            if rows := _measured("growth", partial(growth.measure, sizes, given.rounds, known)):
                found["growth"] = rows
                table(GROWTH, rows)
                save("growth", given.orders, rows)
    return 0 if set(found) == set(given.only) else 1


def _as(account_id: int, measure: Measure, rounds: int) -> list[Row]:
    return measure(
        rounds, orders.signed_in(account_id)
    )  # a new session for each part: one that is not used ends


def _measured(name: str, measure: Callable[[], list[Row]]) -> list[Row]:
    """The rows of a part, none when it failed: what went wrong is said at once, and the other parts go on."""
    try:
        return measure()
    except Exception:
        traceback.print_exc()
        print(f"\n{name} could not be measured.", file=sys.stderr, flush=True)
        return []


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
    sys.exit(main())
