"""Deliveries over time: order per order, what becomes of awaited actions, shops that are away, and workers that die."""

import os
import random
import signal
import threading
import time
from collections import defaultdict
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from db.connections.engine import jobs_transaction
from services.connections.answers import give_up_all
from services.delivery.dispatching import deliver_due
from services.delivery.due import Lane, find_due
from services.delivery.outcomes import GIVEN_UP_BEFORE, PAUSES, Attempt, Fate, Outcome, record
from services.events.event_types import EventType
from services.executors.interface import Accepted, NothingToDo, NotSent, Refused, Succeeded, TryLater
from services.order_actions.subscriptions import cancel_subscription
from tests.services.delivery.support import connected_shop, deliveries, happen, make_due, states
from tests.support import factories
from tests.support.connected import awaited
from tests.support.factories import act, document, history, item, run
from tests.support.hook_control import Arrived, HookReceiver
from tests.support.killable import start_killable
from tests.support.rounds import WORKER_KILLS


def by_order(arrived: list[Arrived]) -> dict[int, list[str]]:
    """The IDs of the messages of each order as they came; one that came twice counts where it came first."""
    ids: dict[int, list[str]] = defaultdict(list)
    for one in arrived:
        if one.id not in ids[one.json["data"]["order_id"]]:
            ids[one.json["data"]["order_id"]].append(one.id)
    return ids


# Order per order


def test_a_later_event_waits_for_the_earlier_one_of_its_order_alone(
    connected: int, shop: HookReceiver
) -> None:
    shop.answer({"status": 500}, {"status": 500})
    [first] = happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}
    [second], [other] = happen(1), happen(2)
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert shop.arrived()[-1].id == str(other)
    make_due()
    assert deliver_due() == {Fate.DELIVERED: 2}
    assert [one.id for one in shop.arrived()][-2:] == [str(first), str(second)]


def test_another_connection_does_not_wait(connected: int, shop: HookReceiver) -> None:
    connected_shop(shop.url("/second"))
    shop.always({"status": 500})
    ids = [str(event_id) for event_id in happen(1, 1, 1)]
    assert deliver_due() == {Fate.DEFERRED: 2, Fate.DELIVERED: 3}
    assert [one.id for one in shop.arrived("/second")] == ids
    assert {one.id for one in shop.arrived()} == {ids[0]}


def test_what_waits_for_an_earlier_event_is_not_looked_at_until_that_is_settled(
    connected: int, shop: HookReceiver
) -> None:
    shop.answer({"status": 500}, {"status": 500})
    happen(1, 1, 1)
    deliver_due()
    deliver_due()
    assert run("SELECT count(*) FROM delivery WHERE next_attempt_at <= now()") == [(0,)]
    run("UPDATE delivery SET next_attempt_at = now() WHERE attempts > 0")
    assert deliver_due() == {Fate.DELIVERED: 3}
    assert by_order(shop.arrived())[1] == [
        str(row.id) for row in run("SELECT id FROM outbox_event ORDER BY seq")
    ]


def test_what_was_given_up_holds_up_nothing(connected: int, shop: HookReceiver) -> None:
    shop.answer({"status": 500})
    happen(1, 1)
    run("UPDATE delivery SET attempts = 10 WHERE seq = (SELECT min(seq) FROM delivery)")
    assert deliver_due() == {Fate.FAILED: 1, Fate.DELIVERED: 1}


def test_a_shop_that_is_away_for_three_days_gets_everything_in_order(
    connected: int, shop: HookReceiver
) -> None:
    events = happen(*[1, 2, 3, 4, 5] * 2)
    shop.stop()
    try:
        deliver_due()
        for number in range(len(PAUSES) - 2):  # three days and some hours
            if number % 3 == 0:
                events += happen(*[1, 2, 3, 4, 5])
            make_due()
            assert Fate.DELIVERED not in deliver_due()
    finally:
        shop.start()
    assert run("SELECT max(attempts) FROM delivery") == [(len(PAUSES),)]
    assert states() == {"waiting": 25}
    make_due()
    assert deliver_due() == {Fate.DELIVERED: 25}
    expected = defaultdict(list)
    for row in run("SELECT id, order_id FROM outbox_event ORDER BY seq"):
        expected[row.order_id].append(str(row.id))
    assert len(events) == 25 and by_order(shop.arrived()) == expected
    assert len(shop.arrived()) == 25


# Actions that the shop has to confirm


@pytest.fixture
def cancelled(people: dict[str, int], shop: HookReceiver) -> int:
    """An order whose subscription was cancelled here; the shop has to confirm that. The only event."""
    for table in ("connection", "outbox_event", "mail"):
        run(f"DELETE FROM {table}")
    shop.forget()
    connected_shop(shop.url(), confirms=True)
    renewal = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    made = document(items=[item(subscription=renewal)])
    factories.take_in(made)
    act(people["anna"], cancel_subscription, made["order_id"], position=1)
    return int(made["order_id"])


def test_a_delivered_action_is_sent(cancelled: int, shop: HookReceiver) -> None:
    assert awaited(cancelled).state == "recorded"
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert awaited(cancelled).state == "sent"
    assert shop.arrived()[0].json["data"]["action_id"] == str(awaited(cancelled).id)


def test_an_action_that_is_given_up_was_not_delivered(cancelled: int, shop: HookReceiver) -> None:
    shop.always({"status": 500})
    run("UPDATE delivery SET attempts = 10")
    assert deliver_due() == {Fate.FAILED: 1}
    assert (awaited(cancelled).state, awaited(cancelled).message) == (
        "not delivered",
        "The shop answered 500.",
    )
    assert "500" in history(cancelled)[-1]


def test_another_connection_changes_nothing_about_the_action(cancelled: int, shop: HookReceiver) -> None:
    other = connected_shop(shop.url("/other"))
    run("INSERT INTO delivery (event_id, connection_id, order_id, seq) "
        "SELECT id, :other, order_id, seq FROM outbox_event", other=other)  # fmt: skip
    shop.always({"status": 500})
    assert deliver_due() == {Fate.DELIVERED: 1, Fate.DEFERRED: 2}
    assert awaited(cancelled).state == "recorded"


def test_an_action_that_was_given_up_is_not_sent_afterwards(cancelled: int, shop: HookReceiver) -> None:
    [[connection_id]] = run("SELECT id FROM connection")
    with jobs_transaction() as connection:
        assert give_up_all(connection, connection_id, "Switched off.") == 1
    assert deliver_due() == {}
    assert shop.arrived() == []
    [row] = deliveries()
    assert (row.state, row.last_error) == ("failed", GIVEN_UP_BEFORE)


@pytest.mark.parametrize(
    ("outcome", "fate", "state", "delivery_state"),
    [
        (Accepted("ext-1"), Fate.DELIVERED, "sent", "delivered"),
        (Succeeded("ext-1", Decimal("10.00")), Fate.DELIVERED, "confirmed", "delivered"),
        (Refused("It is too late."), Fate.DELIVERED, "refused", "delivered"),
        (NothingToDo(), Fate.DELIVERED, "recorded", "delivered"),
        (NotSent("A dry run."), Fate.FAILED, "not delivered", "failed"),
        (TryLater("Away.", None, 77.0), Fate.DEFERRED, "recorded", "waiting"),
    ],
)
def test_what_an_executor_says(
    outcome: Outcome, fate: Fate, state: str, delivery_state: str, cancelled: int
) -> None:
    [[connection_id]] = run("SELECT id FROM connection")
    with jobs_transaction() as connection:
        [due] = find_due(connection, Lane(connection_id, "webhooks", False), limit=1, under_way=[])
        assert due.is_awaited
        assert record(connection, Attempt(due, outcome)) is fate
    assert (awaited(cancelled).state, deliveries()[0].state) == (state, delivery_state)
    if isinstance(outcome, Accepted | Succeeded):
        assert awaited(cancelled).external_id == "ext-1"
    if isinstance(outcome, NotSent):
        assert awaited(cancelled).message == "A dry run."
        assert run("SELECT 1 FROM mail WHERE kind = 'connection'") == []
    with jobs_transaction() as connection:  # once more, as after a lost connection to the database
        again = record(connection, Attempt(due, outcome))
    assert again is (fate if delivery_state == "waiting" else None)


def test_an_order_that_is_held_is_recorded_later(cancelled: int, shop: HookReceiver) -> None:
    """Whoever holds the action delays its own delivery alone."""
    release = threading.Event()

    def hold() -> None:
        with jobs_transaction() as connection:
            connection.exec_driver_sql("SELECT FROM awaited_action FOR UPDATE")
            held.set()
            release.wait(20)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    threading.Timer(1.0, release.set).start()
    happen(1)
    assert deliver_due() == {Fate.DELIVERED: 2}
    holder.join()
    assert awaited(cancelled).state == "sent"


# Several workers, and workers that die


def test_two_workers_do_nothing_twice_and_keep_the_order(connected: int, shop: HookReceiver) -> None:
    second = connected_shop(shop.url("/second"))
    events = happen(*list(range(1, 21)) * 3)
    workers = [threading.Thread(target=deliver_due) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    deliver_due()
    for path in ("/hook", "/second"):
        ids = [one.id for one in shop.arrived(path)]
        assert sorted(ids) == sorted(str(event_id) for event_id in events)
        assert all(len(of_order) == 3 for of_order in by_order(shop.arrived(path)).values())
    assert second and states() == {"delivered": 120}


def _deliver_until_killed() -> None:
    """A worker in a process of its own."""
    while True:
        deliver_due()
        time.sleep(0.005)


def _act_until(stop: threading.Event, committed: list[UUID], rolled_back: list[UUID]) -> None:
    """Transactions that write events; every fourth is rolled back."""
    chance = random.Random(11)
    while not stop.is_set():
        orders = [chance.randint(1, 20) for _ in range(chance.randint(1, 3))]
        if chance.random() < 0.25:
            happen(*orders, rolled_back=rolled_back)
        else:
            committed += happen(*orders)
        time.sleep(chance.uniform(0, 0.01))


@pytest.mark.slow
def test_killed_again_and_again_while_people_act(
    connected: int, shop: HookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each committed event arrives at least once under one ID and in order; none arrives that was not committed."""
    happen(*range(1, 21))
    stop, committed, rolled_back = threading.Event(), list[UUID](), list[UUID]()
    actor = threading.Thread(target=_act_until, args=(stop, committed, rolled_back))
    actor.start()
    chance = random.Random(7)
    try:
        for _ in range(WORKER_KILLS):
            seen = len(shop.arrived())
            process = start_killable(monkeypatch, _deliver_until_killed)
            deadline = time.monotonic() + 20
            while len(shop.arrived()) == seen and time.monotonic() < deadline:
                time.sleep(0.002)  # until it has begun
            time.sleep(chance.uniform(0, 0.1))
            assert process.pid
            os.kill(process.pid, signal.SIGKILL)
            process.join()
    finally:
        stop.set()
        actor.join()
    while states()["waiting"]:
        make_due()
        deliver_due()
    arrived = shop.arrived()
    stored = run("SELECT id, order_id FROM outbox_event ORDER BY seq")
    assert {UUID(one.id) for one in arrived} == {row.id for row in stored} >= set(committed)
    assert not {UUID(one.id) for one in arrived} & set(rolled_back) and rolled_back
    expected = defaultdict(list)
    for row in stored:
        expected[row.order_id].append(str(row.id))
    assert by_order(arrived) == expected
    assert all(one.json["type"] == EventType.REFUND_REQUESTED for one in arrived)
