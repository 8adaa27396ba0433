"""Dry run and caps: what an executor is asked for only when its connection allows it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction
from services.errors import InvalidInput
from services.events.event_types import EventType
from services.executors.interface import (
    Accepted,
    Json,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Payment,
    Refused,
    Result,
    Succeeded,
    TryLater,
)
from services.executors.limits import LimitedExecutor, spent_today, why_above_cap
from services.executors.registry import find_executor
from services.money_limits import read_cap
from tests.services.executors.support import approved_by
from tests.support.factories import run
from tests.support.rounds import RACE_ROUNDS


@dataclass
class Till:
    """An executor that pays at once out of a box of money, unless told to answer something else."""

    answer: Result | None = None
    paid: list[OutgoingEvent] = field(default_factory=list)

    @property
    def title(self) -> str:
        return "The till"

    def can_refund(self, payment: Payment, options: Json) -> str | None:
        return None if payment.reference else "No receipt."

    def send(self, outgoing: OutgoingEvent) -> Result:
        self.paid.append(outgoing)
        return self.answer or Succeeded(None, Decimal(str(outgoing.data["amount"])))


@pytest.fixture(scope="module")
def stores(database: str) -> tuple[int, int]:
    rows = run("INSERT INTO checkout_page (name) VALUES ('shop-a'), ('shop-b') RETURNING id")
    return rows[0].id, rows[1].id


@pytest.fixture
def store(stores: tuple[int, int]) -> Iterator[int]:
    yield stores[0]
    run("DELETE FROM refund_reservation")


def test_a_dry_run_sends_nothing_and_says_what_it_would_have_sent(store: int) -> None:
    till = Till()
    outgoing = approved_by("dry", store_id=store, options={"dry_run": True, "day_cap": "500"})
    assert LimitedExecutor(till).send(outgoing) == NotSent(
        "Dry run: The till would have been asked to pay back EUR 49.00 of the payment dry. Nothing was sent."
    )
    without = replace(outgoing, data={**outgoing.data, "payment": {"provider": "till", "reference": None}})
    assert LimitedExecutor(till).send(without) == NotSent("Dry run: nothing was sent. No receipt.")
    cancel = replace(outgoing, event=EventType.CANCEL_REQUESTED)
    assert LimitedExecutor(till).send(cancel) == NotSent("Dry run: nothing was sent to The till.")
    assert till.paid == [] and run("SELECT * FROM refund_reservation") == []


def test_what_moves_nothing_has_no_cap_and_is_not_sent_in_a_dry_run(store: int) -> None:
    till = Till(NothingToDo())
    completed = approved_by(
        "done", store_id=store, options={"day_cap": "1"}, event=EventType.REFUND_COMPLETED
    )
    assert LimitedExecutor(till).send(completed) == NothingToDo() and till.paid == [completed]
    rehearsed = replace(completed, options={"dry_run": True})
    assert LimitedExecutor(till).send(rehearsed) == NothingToDo() and till.paid == [completed]


def test_a_day_has_a_cap_by_store_and_currency(stores: tuple[int, int], store: int) -> None:
    executor, cap = LimitedExecutor(Till()), {"day_cap": "100"}
    assert isinstance(executor.send(approved_by("a", store_id=store, amount="60", options=cap)), Succeeded)
    later = executor.send(approved_by("b", store_id=store, amount="40.01", options=cap))
    assert isinstance(later, TryLater) and later.retry_after is not None and 0 < later.retry_after <= 86401
    assert (
        later.reason
        == "Today's cap of EUR 100.00 leaves EUR 40.00: EUR 40.01 can be paid back from 00:00 UTC."
    )
    for allowed in (
        approved_by("c", store_id=store, amount="40", options=cap),
        approved_by("d", store_id=store, amount="100", currency="USD", options=cap),
        approved_by("e", store_id=stores[1], amount="100", options=cap),
    ):
        assert isinstance(executor.send(allowed), Succeeded)


def test_the_cap_of_a_day_ends_with_it(store: int) -> None:
    executor = LimitedExecutor(Till())
    assert isinstance(
        executor.send(approved_by("a", store_id=store, amount="60", options={"day_cap": "100"})), Succeeded
    )
    again = approved_by("b", store_id=store, amount="60", options={"day_cap": "100"})
    assert isinstance(executor.send(again), TryLater)
    run("UPDATE refund_reservation SET reserved_at = date_trunc('day', now(), 'UTC') - interval '1 second'")
    assert isinstance(executor.send(again), Succeeded)


def test_a_refund_that_is_tried_again_is_counted_once(store: int) -> None:
    till = Till(TryLater("No answer."))
    outgoing = approved_by("a", store_id=store, amount="60", options={"day_cap": "100"})
    for _ in range(3):
        assert LimitedExecutor(till).send(outgoing) == TryLater("No answer.")
    assert [row.amount for row in run("SELECT amount FROM refund_reservation")] == [60]
    till.answer = Refused("No.")
    assert LimitedExecutor(till).send(outgoing) == Refused("No.")
    assert run("SELECT * FROM refund_reservation") == []


def test_what_was_accepted_stays_counted(store: int) -> None:
    assert isinstance(
        LimitedExecutor(Till(Accepted("re_1"))).send(
            approved_by("a", store_id=store, options={"day_cap": "100"})
        ),
        Accepted,
    )
    assert len(run("SELECT * FROM refund_reservation")) == 1


def test_a_refund_above_a_cap_is_never_sent(store: int) -> None:
    till = Till()
    for options, what in (
        ({"request_cap": "48.99", "day_cap": "500"}, "for one refund, EUR 48.99"),
        ({"day_cap": "USD 500, EUR 40"}, "for a day, EUR 40.00"),
        ({"day_cap": "USD 500"}, "for a day, EUR 0.00"),
    ):
        answer = LimitedExecutor(till).send(approved_by("a", store_id=store, options=options))
        assert answer == NotSent(f"EUR 49.00 is above the connection's cap {what}.")
    answer = LimitedExecutor(till).send(approved_by("a", store_id=store, options={"day_cap": "a lot"}))
    assert answer == NotSent("The connection's cap cannot be read; an administrator has to correct it.")
    assert till.paid == []


@pytest.mark.slow
def test_workers_cannot_exceed_the_cap_together(store: int) -> None:
    till = Till(Accepted())
    barrier = threading.Barrier(3)

    def pay(number: int) -> Result:
        outgoing = approved_by(f"p{number}", store_id=store, amount="40", options={"day_cap": "100"})
        barrier.wait()
        return LimitedExecutor(till).send(outgoing)

    with ThreadPoolExecutor(3) as threads:
        for _ in range(RACE_ROUNDS):
            results = list(threads.map(pay, range(3)))
            assert sorted(type(result).__name__ for result in results) == ["Accepted", "Accepted", "TryLater"]
            assert sum(row.amount for row in run("SELECT amount FROM refund_reservation")) == 80
            run("DELETE FROM refund_reservation")


def test_workers_would_exceed_the_cap_without_the_lock(store: int) -> None:
    """What the lock is for: of a refund that is not committed yet, another worker sees nothing."""
    reserve = text(
        "INSERT INTO refund_reservation (action_id, checkout_page_id, currency, amount) "
        "VALUES (gen_random_uuid(), :store, 'EUR', 60)"
    )
    with jobs_transaction() as one, jobs_transaction() as other:
        for connection in (one, other):
            spent = spent_today(connection, store, "EUR")
            assert why_above_cap({"day_cap": "100"}, Decimal(60), "EUR", spent) is None
            connection.execute(reserve, {"store": store})


@pytest.mark.parametrize(
    ("typed", "currency", "amount"),
    [
        ("500", "EUR", "500"),
        ("500.00", "JPY", "500.00"),
        ("EUR 500, JPY 80000", "JPY", "80000"),
        ("eur 500; 20", "EUR", "500"),
        ("eur 500; 20", "USD", "20"),
        ("EUR 500", "USD", "0"),
    ],
)
def test_caps_are_read_as_they_are_typed(typed: str, currency: str, amount: str) -> None:
    cap = read_cap(typed)
    assert cap is not None and cap.of(currency) == Decimal(amount)


@pytest.mark.parametrize(
    "typed",
    [
        "-1",
        "1,000.00",
        "1e9",
        "EUR",
        "EUR 500 600",
        "XYZ 5",
        "EUR 1, EUR 2",
        "1, 2",
        "EUR 1,000",
        "EUR 500,100",
        "JPY 1.5",
        "٥",
        "NaN",
        500,
        "9" * 2000,
    ],
)
def test_other_caps_are_refused(typed: object) -> None:
    with pytest.raises(InvalidInput):
        read_cap(typed)


def test_no_cap_is_none() -> None:
    assert read_cap(None) is None and read_cap("") is None and read_cap(" , ") is None


def test_kinds_without_an_executor_have_none() -> None:
    assert find_executor("webhooks") is None and find_executor("help desk") is None
    stripe = find_executor("stripe")
    assert stripe is not None and stripe.title == "Stripe" and stripe is not find_executor("stripe")
