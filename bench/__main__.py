"""`make bench`: what the portal costs beside the least that PostgreSQL could do, in turn, on a database of its own.

    python -m bench [--orders N] [--rounds N]

Machines are noisy, so medians, 95th percentiles and ratios are what is reported; see the modules of this folder.
"""

import argparse

from bench import exports, search
from bench.database import own_database
from bench.results import save, table


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench")
    options.add_argument("--orders", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=41)
    given = options.parse_args()
    with own_database():
        account_id = search.prepare(given.orders)
        found = {
            "search": search.measure(given.orders, given.rounds, account_id),
            "opening": search.measure_opening(given.orders, given.rounds, account_id),
            "report": search.measure_reports(given.rounds, account_id),
            "export": exports.measure(account_id),
        }
    for name, rows in found.items():
        table(f"{name}: {given.orders:,} orders, {given.rounds} rounds in turn", rows)
        save(name, given.orders, rows)


if __name__ == "__main__":
    main()
