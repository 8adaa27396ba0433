"""How many people one portal process serves: each searches or opens an order every two seconds."""

import statistics
import sys
from collections.abc import Sequence

from bench.crowd import crowd
from bench.portal import cookies, served
from bench.results import Row, p95, yes
from bench.searches import searches
from db.connections import engine

SIZES = (1, 10, 25, 50, 100)
_SECONDS = 30.0
_EVERY = 2.0


def measure(_: int, account_id: int) -> list[Row]:
    """One row a number of people, each number with a process that was just started."""
    return serve(SIZES, _SECONDS)


def serve(sizes: Sequence[int], seconds: float) -> list[Row]:
    with engine.owner_engine().begin() as connection:
        wanted = [search.typed for about in searches(connection).values() for search in about]
    found = []
    for number in sizes:
        with served() as portal:
            crowd(portal.url, cookies(1), wanted, seconds=2, every=0.1)  # what is read once is read
            empty = portal.memory_mb()
            clicks = crowd(portal.url, cookies(number), wanted, seconds=seconds, every=_EVERY)
            memory = portal.memory_mb()
        times = [click.seconds * 1000 for click in clicks if not click.failure]
        failures = [click.failure for click in clicks if click.failure]
        for words in sorted(set(failures))[:5]:
            print(f"{number} people: {failures.count(words)} times: {words}", file=sys.stderr)
        found.append(
            {
                "people": number,
                "clicks": len(clicks),
                "of": round(
                    number * seconds / _EVERY
                ),  # fewer are made where answers take longer than the pace
                "failed": len(failures),
                "p50, ms": statistics.median(times) if times else None,
                "p95, ms": p95(times) if times else None,
                "process, MB": round(memory),
                "MB a person": (memory - empty) / number,
                "target met": yes(bool(times) and p95(times) < 300 and not failures)
                if number == 50
                else None,
            }
        )
    return found
