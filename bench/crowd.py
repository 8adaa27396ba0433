"""People at the portal, each with a tab of their own, who search and open orders at a steady pace.

They run in processes of their own, so that their load is not the portal's. Every answer is counted, failures included.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from bench.tab import Tab, opened
from services.orders.filters import SearchInput

_EACH_PROCESS = 25
_ROWS = 10
_PATIENCE = 120


@dataclass(frozen=True)
class Click:
    """One search or one opened order; `failure` says in a sentence what was wrong with it, if anything."""

    what: str
    seconds: float
    failure: str | None


def crowd(
    url: str, cookies: Sequence[str], wanted: Sequence[SearchInput], *, seconds: float, every: float
) -> list[Click]:
    """The clicks of everybody during `seconds`, counted from the moment when all have loaded the page.

    Each person clicks once per `every` seconds, or as soon as the click before is answered when that takes longer.
    """
    spawn = multiprocessing.get_context("spawn")
    groups = [cookies[start : start + _EACH_PROCESS] for start in range(0, len(cookies), _EACH_PROCESS)]
    ready = spawn.Barrier(len(groups))
    results: Queue[list[Click]] = spawn.Queue()
    processes = [
        spawn.Process(target=_sit, args=(url, group, list(wanted), seconds, every, ready, results, number))
        for number, group in enumerate(groups)
    ]
    for process in processes:
        process.start()
    clicks = [click for _ in processes for click in results.get(timeout=_PATIENCE + seconds)]
    for process in processes:
        process.join()
    return clicks


def _sit(
    url: str,
    cookies: Sequence[str],
    wanted: list[SearchInput],
    seconds: float,
    every: float,
    ready: Barrier,
    results: "Queue[list[Click]]",
    number: int,
) -> None:
    try:
        results.put(asyncio.run(_group(url, cookies, wanted, seconds, every, ready, number)))
    except Exception as error:
        ready.abort()
        results.put([Click("load", 0.0, f"{type(error).__name__}: {error}")])


async def _group(
    url: str,
    cookies: Sequence[str],
    wanted: list[SearchInput],
    seconds: float,
    every: float,
    ready: Barrier,
    number: int,
) -> list[Click]:
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(opened(url, cookie)) for cookie in cookies]
        await asyncio.to_thread(ready.wait, _PATIENCE)
        end = time.monotonic() + seconds
        people = [
            _person(tab, wanted, end, every, random.Random(number * _EACH_PROCESS + seat))
            for seat, tab in enumerate(tabs)
        ]
        return [click for clicks in await asyncio.gather(*people) for click in clicks]


async def _person(
    tab: Tab, wanted: list[SearchInput], end: float, every: float, chance: random.Random
) -> list[Click]:
    clicks: list[Click] = []
    due = time.monotonic() + chance.random() * every
    rows = 0
    while due < end:
        await asyncio.sleep(due - time.monotonic())
        click, rows = await _click(tab, wanted, rows, chance)
        clicks.append(click)
        if click.failure and click.what == "lost":
            break
        due = max(due + every, time.monotonic())
    return clicks


async def _click(tab: Tab, wanted: list[SearchInput], rows: int, chance: random.Random) -> tuple[Click, int]:
    """Open one of the `rows` of the last search, or search when it left none to choose from.

    Returns the click and the number of rows to choose from next.
    """
    try:
        if rows > 1:
            shown = await tab.choose(chance.randrange(min(rows, _ROWS)))
            failure = None if "Order History" in shown.html else "no order"
            return Click("open", shown.seconds, "; ".join(shown.errors) or failure), 0
        shown = await tab.search(chance.choice(wanted))
    except Exception as error:  # the connection is lost, or no answer came within a minute
        return Click("lost", 0.0, f"{type(error).__name__}: {error}"), 0
    failure = None if shown.count and shown.rows else "no rows"
    return Click("search", shown.seconds, "; ".join(shown.errors) or failure), shown.count or 0
