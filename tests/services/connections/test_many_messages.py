"""Many messages at once, in no order, twice, while workers are killed: the same orders as by file."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.connections.inbox import receive
from services.delivery.incoming import INCOMING, apply_incoming
from tests.services.connections.support import Shop, body_of, connect
from tests.support.factories import Document, document, item, run, take_in
from tests.support.rounds import WORKER_KILLS

pytestmark = [pytest.mark.usefixtures("nothing_yet"), pytest.mark.slow]
PROJECT = Path(__file__).resolve().parents[3]
ORDERS, VERSIONS = 100, 5
KILLS = max(3, WORKER_KILLS // 4)


def version(order_id: int, number: int) -> Document:
    """A document of an order that changes with each version, in every group that it has."""
    chance = random.Random(order_id * 100 + number)
    statuses = ["active", "cancelled"]
    items = [
        item(
            item_id=f"{order_id}-{index}",
            name=f"Product {index}",
            amount=f"{chance.randint(1, 99)}.00",
            activation_codes=[{"code": f"K-{order_id}-{index}-{chance.randint(1, 3)}"}],
            subscription={
                "id": f"S-{order_id}-{index}",
                "type": "AR",
                "status": chance.choice(statuses),
            },
        )
        for index in range(chance.randint(1, 3))
    ]
    return document(
        order_id=order_id,
        order_name=f"A{order_id} version {number}",
        status=chance.choice(["paid", "deleted", "not paid"]),
        updated_at=f"2026-03-01T10:00:{number:02}Z",
        customer={"email": f"customer{order_id}@example.com", "first_name": f"Version {number}"},
        items=items,
        history=[
            {"date": "2026-03-01T10:00:00Z", "kind": "status", "text": f"Version {n}"} for n in range(number)
        ],
        related_orders=[{"order_id": 5000 + number, "relation": "child"}],
    )


def tables() -> dict[str, list[Any]]:
    """What the tables say of all orders, without what differs from one import to the next."""
    rows = {
        "orders": "to_jsonb(t) - 'page_key' - 'imported_at'",
        "order_item": "to_jsonb(t)",
        "activation_code": "to_jsonb(t) - 'id'",
        "subscription": "to_jsonb(t)",
        "subscription_event": "to_jsonb(t) - 'id'",
        "order_history": "to_jsonb(t) - 'id'",
        "order_relation": "to_jsonb(t)",
    }
    return {
        table: sorted(repr(row) for row in run(f"SELECT {row} FROM {table} t")) for table, row in rows.items()
    }


@contextmanager
def killed_workers(kills: int) -> Iterator[threading.Event]:
    """Two workers, each killed at a random moment and started again, so many times; then they work on."""
    stop = threading.Event()
    killed: list[int] = []

    def watch(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            worker = subprocess.Popen(
                [sys.executable, "-m", "services.mail"],
                cwd=PROJECT,
                env=os.environ,
                stderr=subprocess.DEVNULL,
            )
            if len(killed) < kills:
                # A worker needs more than a second to begin.
                stop.wait(chance.uniform(1.0, 4.0))
                killed.append(worker.pid)
            else:
                stop.wait()
            worker.send_signal(signal.SIGKILL)
            worker.wait()

    watchers = [threading.Thread(target=watch, args=(seed,)) for seed in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        yield stop
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
    assert len(killed) >= kills


def send_all(shop: Shop, documents: list[Document]) -> None:
    """Each document twice under the same ID, in no order, by four senders."""
    messages = [
        (f"msg_{number}", body_of("order.upserted", order)) for number, order in enumerate(documents)
    ] * 2
    random.Random(1).shuffle(messages)

    def send(message: tuple[str, bytes]) -> int:
        message_id, body = message
        return receive(INCOMING, shop.key, shop.headers(body, message_id), body).status

    with ThreadPoolExecutor(4) as senders:
        answers = list(senders.map(send, messages))
    assert answers.count(202) == answers.count(200) == len(documents)


def test_a_thousand_messages_are_what_a_file_of_the_last_documents_is() -> None:
    shop = connect()
    run("UPDATE connection SET rate_per_minute = 1000000")
    documents = [version(order_id, number) for order_id in range(1, ORDERS + 1) for number in range(VERSIONS)]
    with killed_workers(KILLS):
        send_all(shop, documents)
        deadline = time.monotonic() + 180
        while run("SELECT FROM inbox WHERE state = 'waiting' LIMIT 1"):
            assert time.monotonic() < deadline, run("SELECT state, count(*) FROM inbox GROUP BY 1")
            time.sleep(0.2)
    assert {state for (state,) in run("SELECT DISTINCT state FROM inbox")} <= {"applied", "unchanged"}
    assert run("SELECT count(*) FROM import_claim") == [(0,)]
    by_messages = tables()
    run("DELETE FROM orders")
    take_in(*(version(order_id, VERSIONS - 1) for order_id in range(1, ORDERS + 1)))
    assert by_messages == tables()


def test_messages_come_in_beside_a_running_import_of_the_same_orders() -> None:
    shop = connect()
    newest = [version(order_id, VERSIONS - 1) for order_id in range(1, ORDERS + 1)]
    errors: list[Exception] = []

    def import_files() -> None:
        try:
            for number in range(VERSIONS - 1):
                take_in(*(version(order_id, number) for order_id in range(1, ORDERS + 1)))
        except Exception as error:
            errors.append(error)

    importing = threading.Thread(target=import_files)
    importing.start()
    for order in newest:
        shop.send("order.upserted", order)
        if order["order_id"] % 20 == 0:
            apply_incoming()
    importing.join()
    assert errors == []
    run("UPDATE inbox SET next_attempt_at = now() WHERE state = 'waiting'")
    apply_incoming()
    assert run("SELECT DISTINCT state FROM inbox") == [("applied",)]
    by_messages = tables()
    run("DELETE FROM orders")
    take_in(*newest)
    assert by_messages == tables()
