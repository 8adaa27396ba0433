"""Many orders at once: the preview, the first progress, the pace of a run, and the clicks of others meanwhile.

People, web server, worker and database share the machine, as they would on a small server.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from sqlalchemy import text

from bench.crowd import Click, crowd
from bench.hooks import portal_and_worker
from bench.portal import cookies
from bench.results import Row, milliseconds, yes
from bench.searches import searches
from db.connections import engine
from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.bulk_states import BulkKind
from services.access import Viewer, get_viewer
from services.actions import ActionRequest, perform
from services.bulk.preview import Preview, preview_orders
from services.bulk.runs import start_run
from services.bulk.working import work_due
from services.orders.filters import SearchInput

ORDERS = 1_000
# A specialist may take half as many at once as are measured here.
_MANY_ROLE = "refund_operator"
_PEOPLE = 5
_EVERY = 0.25
_SECONDS = 8.0
_SETTLED = "SELECT count(*) FROM bulk_run_order WHERE state <> 'waiting'"


def measure(rounds: int, account_id: int) -> list[Row]:
    """A row for each of the four. Raises `AssertionError` when an order was not done."""
    _change_role(account_id, _MANY_ROLE)
    try:
        rows = [previewing(account_id, min(rounds, 11)), *(running(account_id, kind) for kind in _KINDS)]
        with portal_and_worker() as url:
            return [*rows, *beginning(url, account_id)]
    finally:
        _change_role(account_id, "specialist")


_KINDS = (BulkKind.ADD_NOTE, BulkKind.REQUEST_REFUND)


def previewing(account_id: int, rounds: int) -> Row:
    """The preview of refunds, which reads the orders and their requests."""
    viewer, order_ids = _viewer(account_id), _paid_orders(ORDERS)

    def preview() -> None:
        with viewer_transaction(account_id) as connection:
            preview_orders(connection, viewer, order_ids, kind=BulkKind.REQUEST_REFUND)

    times = [milliseconds(preview) for _ in range(rounds)]
    p50 = statistics.median(times)
    return {"what": "preview of a refund", "orders": ORDERS, "p50, ms": p50, "target": "1,000 ms",
            "target met": yes(p50 < 1000)}  # fmt: skip


def running(account_id: int, kind: BulkKind, number: int = ORDERS) -> Row:
    """How many orders one worker settles per second when nobody else is there."""
    _start(account_id, kind, number)
    start = time.perf_counter()
    settled = work_due()
    seconds = time.perf_counter() - start
    assert settled == number, f"{settled} of {number} orders were settled."
    return {"what": f"one worker: {kind}", "orders": number, "per second": number / seconds,
            "target": "100 per second", "target met": yes(number / seconds >= 100)}  # fmt: skip


def beginning(url: str, account_id: int) -> list[Row]:
    """The time until the first order is settled, and the clicks of others with and without a run."""
    with engine.owner_engine().begin() as connection:
        wanted = [search.typed for about in searches(connection).values() for search in about]
    crowd(url, cookies(1), wanted, seconds=2, every=0.1)  # fills the caches
    before = _clicks(url, wanted)
    with ThreadPoolExecutor(1) as pool:
        settled = _count()
        clicking = pool.submit(_clicks, url, wanted)
        time.sleep(3)  # everybody has loaded the page
        _start(account_id, BulkKind.ADD_NOTE, ORDERS)
        start = time.perf_counter()
        _wait(lambda: _count() > settled)
        first = (time.perf_counter() - start) * 1000
        meanwhile = clicking.result()
    _wait(lambda: _count() == settled + ORDERS, patience=60)
    ratio = _p50(meanwhile) / _p50(before)
    return [
        {"what": "the first order of a run is settled", "orders": ORDERS, "p50, ms": first,
         "target": "1,000 ms", "target met": yes(first < 1000)},
        {"what": f"clicks of {_PEOPLE} people without a run", "p50, ms": _p50(before)},
        {"what": f"clicks of {_PEOPLE} people during a run", "orders": ORDERS, "p50, ms": _p50(meanwhile),
         "ratio": ratio, "target": "1.3 times", "target met": yes(ratio <= 1.3)},
    ]  # fmt: skip


def _clicks(url: str, wanted: Sequence[SearchInput]) -> list[Click]:
    return crowd(url, cookies(_PEOPLE), wanted, seconds=_SECONDS, every=_EVERY)


def _p50(clicks: Sequence[Click]) -> float:
    return statistics.median(click.seconds * 1000 for click in clicks if not click.failure)


def _start(account_id: int, kind: BulkKind, number: int) -> None:
    viewer = _viewer(account_id)
    preview = Preview(kind, tuple(_paid_orders(number)), {}, {})
    request = ActionRequest(key=uuid4(), address=None)
    perform(viewer, request, start_run, preview, text="bench", typed_number=str(number))


def _paid_orders(number: int) -> list[int]:
    """Orders of the specialist's that a refund can be requested for."""
    with jobs_transaction() as connection:
        found = connection.execute(
            text(
                "SELECT o.order_id FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
                "WHERE p.name = 'bench-1' AND o.status = 'paid' AND o.total > 0 AND NOT EXISTS "
                "(SELECT FROM refund_request r WHERE r.order_id = o.order_id) ORDER BY o.order_id DESC LIMIT :number"
            ),
            {"number": number},
        ).scalars()
        return [int(order_id) for order_id in found]


def _viewer(account_id: int) -> Viewer:
    with viewer_transaction(account_id) as connection:
        return get_viewer(connection, account_id)


def _change_role(account_id: int, role: str) -> None:
    with jobs_transaction() as connection:
        connection.execute(
            text("UPDATE account SET role = :role WHERE id = :id"), {"role": role, "id": int(account_id)}
        )


def _count() -> int:
    with jobs_transaction() as connection:
        return int(connection.execute(text(_SETTLED)).scalar_one())


def _wait(is_so: Callable[[], bool], *, patience: float = 10.0) -> None:
    end = time.perf_counter() + patience
    while not is_so():
        assert time.perf_counter() < end, "The worker does not work."
        time.sleep(0.02)
