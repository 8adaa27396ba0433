"""Workers that are killed, workers that share a run, and presses at the same instant: each order exactly once."""

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from uuid import uuid4

import pytest

from db.connections.viewers import SignedIn
from db.schema.bulk_states import BulkKind, BulkState
from services.bulk.working import work_due
from services.errors import SupportError
from services.refunds.requests import request_refund
from tests.services.bulk.support import newest, notes, orders, preview, start
from tests.support import factories
from tests.support.factories import act, run
from tests.support.killable import start_killable
from tests.support.rounds import WORKER_KILLS

ORDERS = 100


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, SignedIn]:
    factories.take_in(factories.document(order_id=1))
    return {name: factories.account(name, stores=["shop-a"]) for name in ("anna", "berta")}


def work() -> None:
    """A worker in a process of its own: works until it is killed."""
    while True:
        work_due()
        time.sleep(0.01)


def settled() -> int:
    [[number]] = run("SELECT count(*) FROM bulk_run_order WHERE state <> 'waiting'")
    return int(number)


def kill_at_work(process: BaseProcess, chance: random.Random) -> None:
    before, deadline = settled(), time.monotonic() + 10
    while settled() == before and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.04))
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()


@pytest.mark.slow
def test_killed_again_and_again_over_orders_that_change_meanwhile(
    people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(13)
    mine = orders(ORDERS)
    start(people["anna"], BulkKind.REQUEST_REFUND, mine)
    start(people["berta"], BulkKind.ADD_NOTE, mine, text="by Berta")
    by_hand: Counter[bool] = Counter()
    for _ in range(WORKER_KILLS):
        process = start_killable(monkeypatch, work)
        try:
            act(people["berta"], request_refund, chance.choice(mine), reason="by hand")
            by_hand[True] += 1
        except SupportError:
            by_hand[False] += 1
        kill_at_work(process, chance)
    work_due()
    for name in ("anna", "berta"):
        assert newest(people[name]).state is BulkState.DONE
    assert notes(mine, "by Berta") == dict.fromkeys(mine, 1)
    requests = run("SELECT order_id FROM refund_request WHERE order_id = ANY (:ids)", ids=mine)
    assert Counter(row.order_id for row in requests) == dict.fromkeys(mine, 1)
    rows = run("SELECT order_id, action FROM audit_log WHERE order_id = ANY (:ids) AND succeeded", ids=mine)
    assert set(Counter((row.order_id, row.action) for row in rows).values()) == {1}
    assert len(rows) == 2 * ORDERS
    refunds = newest(people["anna"])
    assert (refunds.done, refunds.refused) == (ORDERS - by_hand[True], by_hand[True])


def test_workers_share_a_run_that_was_pressed_three_times_at_once(people: dict[str, SignedIn]) -> None:
    mine, key = orders(40), uuid4()
    seen = preview(people["anna"], BulkKind.ADD_NOTE, mine)
    with ThreadPoolExecutor(3) as pool:
        pressed = [
            pool.submit(start, people["anna"], BulkKind.ADD_NOTE, seen, text="at once", key=key)
            for _ in range(3)
        ]
        assert {press.result() for press in pressed} == {"Started for 40 orders."}
        at_work = [pool.submit(work_due) for _ in range(3)]
        assert sum(worker.result() for worker in at_work) == len(mine)
    work_due()
    assert notes(mine, "at once") == dict.fromkeys(mine, 1)
    result = newest(people["anna"])
    assert (result.state, result.done, result.order_count) == (BulkState.DONE, 40, 40)
