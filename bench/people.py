"""People that one portal process can serve: each searches or opens an order every two seconds."""

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
    """One row per number of people, each with a process that has just been started."""
    return serve(SIZES, _SECONDS)


def serve(sizes: Sequence[int], seconds: float) -> list[Row]:
    """The rows for these numbers of people, who click during `seconds`. Failures are printed to standard error."""
    with engine.owner_engine().begin() as connection:
        wanted = [search.typed for about in searches(connection).values() for search in about]
    results = []
    for number in sizes:
        with served() as portal:
            crowd(portal.url, cookies(1), wanted, seconds=2, every=0.1)  # fills the caches
            empty = portal.memory_mb()
            clicks = crowd(portal.url, cookies(number), wanted, seconds=seconds, every=_EVERY)
            memory = portal.memory_mb()
        times = [click.seconds * 1000 for click in clicks if not click.failure]
        failures = [click.failure for click in clicks if click.failure]
        for failure in sorted(set(failures))[:5]:
            print(f"{number} people: {failures.count(failure)} times: {failure}", file=sys.stderr)
        results.append(
            {
                "people": number,
                "clicks": len(clicks),
                # Where answers take longer than the pace, fewer clicks are made than this.
                "of": round(number * seconds / _EVERY),
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
    return results
