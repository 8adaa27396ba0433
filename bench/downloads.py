"""The export as a browser gets it: over HTTP, from a portal process that other people use at the same time."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bench.crowd import Click, crowd
from bench.exports import FLOORS, copy_out
from bench.portal import Served, cookies, served
from bench.results import Row, p95
from bench.searches import searches
from db.connections import engine
from pages.web.browser_cookies import SESSION
from services.access import get_viewer
from services.exports.columns import ExportRows
from services.orders.filters import OrderFilter, SearchInput
from services.orders.saved_searches import save_search

_ROUNDS = 3
_SECONDS = 12.0
_EVERY = 0.4


@dataclass(frozen=True)
class Download:
    """One download; times in seconds. `first` is the time until the first bytes after the heading."""

    rows: int
    seconds: float
    first: float


def measure(_: int, account_id: int) -> list[Row]:
    """One row for orders and one for items; raises `AssertionError` when a download lacks rows."""
    with engine.viewer_transaction(account_id) as connection:
        key = save_search(connection, get_viewer(connection, account_id), OrderFilter.empty(ZoneInfo("UTC")))
    with engine.owner_engine().begin() as connection:
        wanted = [search.typed for about in searches(connection).values() for search in about]
    results = []
    exporter, other = cookies(2)
    with served() as portal:
        for rows in FLOORS:
            address = f"/export/{key}.csv?rows={rows}"
            results.append(_measure_rows(portal, address, exporter, other, rows, wanted))
    return results


def _measure_rows(
    portal: Served, address: str, exporter: str, other: str, rows: ExportRows, wanted: list[SearchInput]
) -> Row:
    download(portal.url, address, exporter)  # fills the caches
    downloads, floors = [], []
    with Watch(portal.memory_mb) as memory:
        for _ in range(_ROUNDS):
            floors.append(copy_out(FLOORS[rows]))
            downloads.append(download(portal.url, address, exporter))
    number = floors[0][0]
    assert {finished.rows for finished in downloads} == {number}, f"{downloads} instead of {number:,} rows"
    alone = _clicks(portal, other, wanted)
    with _Repeated(lambda: download(portal.url, address, exporter)) as repeated:
        beside = _clicks(portal, other, wanted)
    rate = statistics.median(finished.rows / finished.seconds for finished in downloads)
    floor = statistics.median(number / seconds for _, seconds in floors)
    return {
        "one row": f"an {rows}",
        "rows": number,
        "rows/s": rate,
        "COPY rows/s": floor,
        "ratio": rate / floor,
        "first rows, ms": statistics.median(finished.first for finished in downloads) * 1000,
        "memory grew by, MB": memory.most - memory.before,
        "another's click, ms": statistics.median(alone),
        "p95": p95(alone),
        "during exports, ms": statistics.median(beside),
        "p95 during": p95(beside),
        "exports meanwhile": repeated.times,
    }


def download(url: str, address: str, cookie: str) -> Download:
    """Read the file to its end without storing it. Raises `AssertionError` when the portal refuses it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
    start, number, first = time.perf_counter(), -1, 0.0
    connection.request("GET", address, headers={"Cookie": f"{SESSION}={cookie}"})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    while piece := response.read1(1 << 16):
        number += piece.count(b"\n")
        if number > 0 and not first:
            first = time.perf_counter() - start
    connection.close()
    return Download(number, time.perf_counter() - start, first)


def _clicks(portal: Served, cookie: str, wanted: list[SearchInput]) -> list[float]:
    clicks: list[Click] = crowd(portal.url, [cookie], wanted, seconds=_SECONDS, every=_EVERY)
    failures = [click.failure for click in clicks if click.failure]
    assert not failures, failures
    return [click.seconds * 1000 for click in clicks]


class Watch(AbstractContextManager["Watch"]):
    """A figure read a hundred times per second: its value `before`, and the `most` it reached."""

    def __init__(self, look: Callable[[], float]) -> None:
        self._look = look
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.before = self.most = look()

    def _watch(self) -> None:
        while not self._end.wait(0.01):
            self.most = max(self.most, self._look())

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class _Repeated(AbstractContextManager["_Repeated"]):
    """Repeat some work in a thread during the block; `times` counts the starts. Raises the work's error at the end."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failed: Exception | None = None
        self.times = 0

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self.times += 1
                self._work()
        except Exception as error:
            self._failed = error

    def __enter__(self) -> "_Repeated":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        if self._failed and error is None:
            raise self._failed
