"""Imports wait for nothing but their own orders; two files never wait for each other in a circle."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction
from services.actions import OrderBusy
from services.importing import spool
from services.importing.importer import ImportResult, import_order, import_orders
from services.order_actions.subscriptions import SubscriptionUnchanged, cancel_subscription
from tests.support import factories
from tests.support.factories import Document, act, document, item, run, take_in
from tests.support.rounds import RACE_ROUNDS


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    take_in(document(order_id=1))
    return factories.account("anna", stores=["shop-a"])


def numbered(*documents: Document) -> list[tuple[int, bytes]]:
    return [(number, json.dumps(order).encode()) for number, order in enumerate(documents, 1)]


class SlowFile:
    """A file that is read up to the last of `documents` and then goes on only when it is told to."""

    def __init__(self, *documents: Document) -> None:
        self._lines = numbered(*documents)
        self.was_read, self.goes_on = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        yield from self._lines
        self.was_read.set()
        assert self.goes_on.wait(60)


@contextmanager
def importing(file: SlowFile) -> Iterator[Callable[[], ImportResult]]:
    def run_import() -> ImportResult:
        with jobs_transaction() as connection:
            return import_orders(connection, file)

    def finish() -> ImportResult:
        file.goes_on.set()
        return running.result(60)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_import)
        assert file.was_read.wait(30)
        try:
            yield finish
        finally:
            file.goes_on.set()


def test_nobody_waits_for_a_file_that_is_being_read(anna: int) -> None:
    subscription = {"id": "S", "type": "AR", "status": "active"}
    take_in(document(order_id=10, items=[item(subscription=subscription)]))
    slow = SlowFile(
        document(order_id=10, items=[item(subscription=subscription)], locale="de"),
        document(order_id=11, checkout_page="brand new"),
    )
    with importing(slow) as end:
        assert take_in(document(order_id=12, checkout_page="brand new")).inserted == 1
        act(anna, cancel_subscription, 10, position=1)
        assert take_in(document(order_id=11, checkout_page="brand new")).inserted == 1
        result = end()
    # The order that came meanwhile is the same; the one that was changed meanwhile keeps the change.
    assert (result.inserted, result.updated, result.unchanged) == (0, 1, 1)
    assert run("SELECT status FROM subscription") == [("cancelled",)]


@contextmanager
def uncommitted(*documents: Document) -> Iterator[None]:
    """What a file holds between its merging and its commit."""
    with jobs_transaction() as connection:
        import_orders(connection, numbered(*documents))
        yield


def quickly(*documents: Document) -> ImportResult:
    with jobs_transaction() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
        return import_orders(connection, numbered(*documents))


def test_a_file_that_is_being_merged_keeps_its_own_orders_and_no_others(anna: int) -> None:
    subscription = {"id": "S", "type": "AR", "status": "active"}
    take_in(*(document(order_id=n, items=[item(subscription=subscription)]) for n in (10, 20)))
    take_in(document(order_id=30, items=[item(subscription=subscription | {"id": "T"})]))
    with uncommitted(document(order_id=11, items=[item(subscription=subscription)], checkout_page="shop-a"),
                     document(order_id=13, checkout_page="newest")):  # fmt: skip
        assert quickly(document(order_id=12, checkout_page="newest")).inserted == 1
        act(anna, cancel_subscription, 30, position=1)
        # The other orders of the subscription belong to it.
        with pytest.raises(OrderBusy):
            act(anna, cancel_subscription, 20, position=1)
        for own in (
            document(order_id=11),
            document(order_id=10, items=[item(subscription=subscription)], locale="de"),
        ):
            with pytest.raises(Exception, match="lock timeout"):
                quickly(own)
    act(anna, cancel_subscription, 20, position=1)
    assert run("SELECT DISTINCT status FROM subscription WHERE subscription_id = 'S'") == [("cancelled",)]
    assert run("SELECT FROM import_claim") == []


def both(*works: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(len(works), timeout=30)

    def outcome(work: Callable[[], Any]) -> Any:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(outcome, works))


@pytest.mark.slow
def test_two_files_with_the_same_orders_in_opposite_sequences(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of two orders, half of them new: a lock a batch would deadlock."""
    monkeypatch.setattr("services.importing.importer._BATCH_ORDERS", 2)
    take_in(*(document(order_id=n) for n in range(100, 112, 2)))
    for number in range(RACE_ROUNDS // 3):
        ids = list(range(100, 112)) if number == 0 else list(range(100 + number, 112 + number))
        files = [[document(order_id=n, locale=f"{name}{number}") for n in ids] for name in ("a", "b")]
        results = both(partial(take_in, *files[0]), partial(take_in, *reversed(files[1])))
        assert sum(result.inserted for result in results) <= len(ids)
        assert all(r.inserted + r.updated == len(ids) for r in results)
        locales = run("SELECT DISTINCT locale FROM orders WHERE order_id = ANY (:ids)", ids=ids)
        assert len(locales) == 1


@pytest.mark.slow
def test_cancelling_while_a_child_order_arrives(anna: int) -> None:
    """Whichever is first: the older document of a new order never brings the renewal back."""
    for number in range(RACE_ROUNDS):
        parent, child = 1_000 + number * 2, 1_001 + number * 2
        subscription = {"id": f"S{number}", "type": "AR", "status": "active"}
        take_in(document(order_id=parent, items=[item(subscription=subscription)]))
        arriving = document(
            order_id=child, items=[item(subscription=subscription | {"parent_order_id": parent})]
        )

        def cancel(order_id: int = parent) -> str | None:
            try:
                return act(anna, cancel_subscription, order_id, position=1)
            except (OrderBusy, SubscriptionUnchanged):
                return None

        sentence, _ = both(cancel, partial(take_in, arriving))
        rows = run(
            "SELECT DISTINCT status FROM subscription WHERE subscription_id = :id", id=subscription["id"]
        )
        assert rows == [("cancelled",)] if sentence else [("active",)]


@pytest.mark.slow
def test_two_children_of_one_subscription_arrive_together(database: str) -> None:
    for number in range(RACE_ROUNDS):
        states = ("active", "2026-04-01T00:00:00Z"), ("cancelled", "2026-04-02T00:00:00Z")
        arriving = [
            document(
                order_id=5_000 + number * 2 + child,
                updated_at=at,
                items=[item(subscription={"id": f"T{number}", "type": "AR", "status": status})],
            )
            for child, (status, at) in enumerate(states)
        ]
        both(*(lambda order=order: take_in(order) for order in arriving))
    assert run("SELECT DISTINCT status FROM subscription WHERE subscription_id LIKE 'T%'") == [("cancelled",)]


def test_a_single_order_is_merged_by_the_same_way(database: str) -> None:
    with jobs_transaction() as connection:
        for line in (json.dumps(document(order_id=7, locale=locale)).encode() for locale in ("de", "fr")):
            result = import_order(connection, line)
    assert (result.inserted, result.updated) == (0, 1)
    assert run("SELECT locale FROM orders WHERE order_id = 7") == [("fr",)]


def test_a_file_that_does_not_fit_into_memory_is_the_same(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_MEMORY_BYTES", 2_000)
    monkeypatch.setattr("services.importing.importer._BATCH_ORDERS", 3)
    files = [{"name": "r.pdf", "kind": "refund", "content_base64": "JVBERg=="}]
    made = [document(order_id=n, documents=files, updated_at="2026-04-01T00:00:00Z") for n in range(50, 70)]
    assert take_in(*made).inserted == 20
    assert run("SELECT count(*), min(encode(content, 'escape')) FROM order_document") == [(20, "%PDF")]
    assert take_in(*made).unchanged == 20
