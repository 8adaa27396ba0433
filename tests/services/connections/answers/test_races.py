"""Answers against actions, deliveries, other answers and giving up, at the same instant in sessions of their own."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.schema.connection_states import AwaitedState
from services.connections.answers import SettleOutcome
from services.errors import SupportError
from services.events import awaiting
from services.order_actions.subscriptions import (
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.refunds.processing import fail_request, fulfil_request, release_request, take_request
from services.refunds.request_lock import RequestAwaited, RequestClosed
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.connected import abandon, arrive, awaited, confirm, connect, refuse
from tests.support.factories import act, document, history, item, mails, run
from tests.support.rounds import RACE_ROUNDS

pytestmark = pytest.mark.slow

# Each round takes several actions of people before the race itself.
ROUNDS = max(4, RACE_ROUNDS // 8)

CONFIRMED, REFUSED, REPEATED = SettleOutcome.CONFIRMED, SettleOutcome.REFUSED, SettleOutcome.REPEATED


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
    }


@pytest.fixture(scope="module")
def shop(people: dict[str, int]) -> int:
    return connect("shop-a", confirms=True)


@pytest.fixture(scope="module")
def together() -> Iterator[Callable[..., list[Any]]]:
    """Calls functions without arguments at the same moment; what each returned, or the error that it raised."""
    with ThreadPoolExecutor(3) as pool:

        def call(*works: Callable[[], Any]) -> list[Any]:
            barrier = Barrier(len(works), timeout=30)

            def press(work: Callable[[], Any]) -> Any:
                barrier.wait()
                try:
                    return work()
                except SupportError as error:
                    return error

            return list(pool.map(press, works))

        yield call


def subscribed() -> list[int]:
    """One order with a subscription of its own for each round."""
    made = [
        document(items=[item(subscription={"id": f"S{uuid4().hex[:12]}", "type": "AR", "status": "active"})])
        for _ in range(ROUNDS)
    ]
    factories.take_in(*made)
    return [int(order["order_id"]) for order in made]


def cancelled(people: dict[str, int]) -> list[tuple[int, UUID]]:
    """Recorded cancellations: the order and the action of each."""
    orders = subscribed()
    for order_id in orders:
        act(people["anna"], cancel_subscription, order_id, position=1)
    return [(order_id, awaited(order_id).id) for order_id in orders]


def fulfil(people: dict[str, int], request_id: int) -> str:
    return act(
        people["rita"], fulfil_request, request_id,
        positions=[1], expected_amount=Decimal(10), delete_codes=True, stop_renewal=True, note="x",
    )  # fmt: skip


def requested(people: dict[str, int]) -> list[tuple[int, int]]:
    """Refund requests that Rita has taken: the order and the request of each."""
    made = []
    for order_id in subscribed():
        act(people["anna"], request_refund, order_id, reason="x")
        [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
        act(people["rita"], take_request, request_id)
        made.append((order_id, int(request_id)))
    return made


def refunded(people: dict[str, int]) -> list[tuple[int, int, UUID]]:
    """Recorded refunds: the order, the request and the action of each."""
    made = requested(people)
    for _, request_id in made:
        fulfil(people, request_id)
    return [(order_id, request_id, awaited(order_id).id) for order_id, request_id in made]


def status_of(order_id: int) -> str:
    [[status]] = run("SELECT status FROM subscription WHERE order_id = :id", id=order_id)
    return str(status)


def lines(order_id: int, beginning: str) -> int:
    return sum(line.startswith(beginning) for line in history(order_id))


def closings(order_id: int) -> int:
    return lines(order_id, "Request has been completed") + lines(order_id, "Refusal to refund")


def test_two_confirmations(people: dict[str, int], shop: int, together: Callable[..., list[Any]]) -> None:
    for order_id, action_id in cancelled(people):
        outcomes = together(*[partial(confirm, action_id, shop)] * 3)
        assert Counter(outcomes) == {CONFIRMED: 1, REPEATED: 2}
        assert lines(order_id, "Auto-renewal has been deactivated") == 1
        assert len(run("SELECT 1 FROM subscription_event WHERE order_id = :id", id=order_id)) == 1


def test_confirmation_and_refusal(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]]
) -> None:
    for order_id, request_id, action_id in refunded(people):
        yes, no = together(partial(confirm, action_id, shop), partial(refuse, action_id, shop))
        assert {yes, no} in ({CONFIRMED, REPEATED}, {REFUSED, REPEATED})
        [[result]] = run("SELECT result FROM refund_request WHERE id = :id", id=request_id)
        assert result == ("full" if yes is CONFIRMED else "failed")
        assert closings(order_id) == len(mails(order_id)) == 1


def test_answer_and_delivery(people: dict[str, int], shop: int, together: Callable[..., list[Any]]) -> None:
    """The shop may answer before its own 200 is here."""
    for order_id, action_id in cancelled(people):
        outcome, was_marked = together(partial(confirm, action_id, shop), partial(arrive, action_id))
        action = awaited(order_id)
        assert (outcome, action.state) == (CONFIRMED, AwaitedState.CONFIRMED)
        assert (action.sent_at is not None) is was_marked
        assert status_of(order_id) == "cancelled"


def test_answer_and_giving_up(people: dict[str, int], shop: int, together: Callable[..., list[Any]]) -> None:
    """What the shop has done counts, whether we had lost patience or not."""
    for order_id, _, action_id in refunded(people):
        outcome, was_given_up = together(partial(confirm, action_id, shop), partial(abandon, action_id))
        assert (outcome, awaited(order_id).state) == (CONFIRMED, AwaitedState.CONFIRMED)
        assert lines(order_id, "The refund of EUR 10.00 (item 1) was not sent") == was_given_up
        assert closings(order_id) == len(mails(order_id)) == 1


def test_delivery_and_giving_up(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]]
) -> None:
    for order_id, action_id in cancelled(people):
        was_sent, was_given_up = together(partial(arrive, action_id), partial(abandon, action_id))
        assert was_given_up
        assert awaited(order_id).state == AwaitedState.NOT_DELIVERED
        assert (awaited(order_id).sent_at is not None) is was_sent


@pytest.mark.parametrize("second", [cancel_subscription, resume_subscription])
def test_answer_and_the_same_button(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]], second: Any
) -> None:
    """Pressed again while the answer arrives: refused before it and after it, or a recorded resumption after it."""
    for order_id, action_id in cancelled(people):
        outcome, pressed = together(
            partial(confirm, action_id, shop),
            partial(act, people["anna"], second, order_id, position=1),
        )
        assert outcome is CONFIRMED
        assert status_of(order_id) == "cancelled"
        recorded = (
            lines(order_id, "Resumption recorded here") + lines(order_id, "Cancellation recorded here") - 1
        )
        assert recorded == isinstance(pressed, str)
        assert isinstance(pressed, SubscriptionUnchanged) or second is resume_subscription


def test_answer_and_actions_on_the_request(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]]
) -> None:
    for order_id, request_id, action_id in refunded(people):
        outcome, failed, released = together(
            partial(confirm, action_id, shop),
            partial(act, people["rita"], fail_request, request_id, note="x"),
            partial(act, people["rita"], release_request, request_id),
        )
        assert outcome is CONFIRMED
        assert {type(failed), type(released)} <= {RequestAwaited, RequestClosed}
        [[status]] = run("SELECT status FROM refund_request WHERE id = :id", id=request_id)
        assert status == "completed"
        assert closings(order_id) == 1


def test_giving_up_and_failing_by_hand(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]]
) -> None:
    """Whoever comes first, the request is not lost between the two."""
    for _, request_id, action_id in refunded(people):
        was_given_up, failed = together(
            partial(abandon, action_id), partial(act, people["rita"], fail_request, request_id, note="x")
        )
        assert was_given_up
        assert isinstance(failed, str | RequestAwaited)
        [[status]] = run("SELECT status FROM refund_request WHERE id = :id", id=request_id)
        assert status == ("refused" if isinstance(failed, str) else "updating")


def test_pressed_twice_at_once(people: dict[str, int], shop: int, together: Callable[..., list[Any]]) -> None:
    for order_id in subscribed():
        outcomes = together(*[partial(act, people["anna"], cancel_subscription, order_id, position=1)] * 2)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SubscriptionUnchanged", "str"]
        assert len(run("SELECT 1 FROM awaited_action WHERE order_id = :id", id=order_id)) == 1
    for order_id, request_id in requested(people):
        outcomes = together(*[partial(fulfil, people, request_id)] * 2)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["RequestAwaited", "str"]
        assert (
            len(
                run(
                    "SELECT 1 FROM outbox_event WHERE order_id = :id AND type = 'refund.approved'",
                    id=order_id,
                )
            )
            == 1
        )


def test_answer_and_a_document_of_the_shop(
    people: dict[str, int], shop: int, together: Callable[..., list[Any]]
) -> None:
    """The order as it is now and the answer, by two workers at once."""
    for order_id, request_id, action_id in refunded(people):
        told = document(
            order_id=order_id,
            updated_at="2100-01-01T00:00:00Z",
            status="deleted",
            items=[item(refunded=True)],
        )
        outcome, _ = together(partial(confirm, action_id, shop), partial(factories.take_in, told))
        assert outcome is CONFIRMED
        [[status]] = run("SELECT status FROM refund_request WHERE id = :id", id=request_id)
        [[main]] = run("SELECT status FROM orders WHERE order_id = :id", id=order_id)
        assert (status, main) == ("completed", "deleted")


@pytest.mark.parametrize("locks", [True, False])
def test_the_check_of_the_state_is_what_keeps_answers_apart(
    locks: bool,
    people: dict[str, int],
    shop: int,
    together: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: with every transition allowed, both confirmations carry the refund out."""
    if not locks:
        everything = dict.fromkeys(AwaitedState, frozenset(AwaitedState))
        monkeypatch.setattr(awaiting, "TRANSITIONS", everything)
    order_id, _, action_id = refunded(people)[0]
    outcomes = together(*[partial(confirm, action_id, shop)] * 2)
    assert Counter(outcomes) == ({CONFIRMED: 1, REPEATED: 1} if locks else {CONFIRMED: 2})
    refused = lines(order_id, "The refund of EUR 10.00 (item 1) was confirmed by the shop and could not")
    assert refused == (0 if locks else 1)  # the request's own lock is the second defence
    assert closings(order_id) == 1
