"""Two people press at the same instant while a refund waits for approval: one effect, one clear refusal."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from services.errors import SupportError
from services.refunds.approval import DecisionChanged
from services.refunds.request_lock import RequestClosed
from tests.services.refunds.deciding import (
    approve,
    decided,
    decided_at,
    request,
    send_back,
    set_rules,
    withdraw,
)
from tests.services.refunds.support import given_back
from tests.support import factories
from tests.support.factories import document, item, take_in
from tests.support.rounds import RACE_ROUNDS

pytestmark = pytest.mark.slow
ROUNDS = max(4, RACE_ROUNDS // 8)


@pytest.fixture(autouse=True)
def rules(people: dict[str, int]) -> Iterator[None]:
    set_rules(limits={"EUR": "5.00"})
    yield
    set_rules()


def together(*works: Callable[[], object]) -> list[object]:
    """What each returned, or the error that it raised."""
    barrier = Barrier(len(works), timeout=30)

    def press(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except SupportError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(press, works))


def test_of_two_approvals_one_counts(people: dict[str, int]) -> None:
    for _ in range(ROUNDS):
        waiting = decided(people)
        at = decided_at(waiting)
        outcomes = together(*(partial(approve, people, by, waiting, at) for by in ("otto", "admin")))
        assert sorted(isinstance(outcome, RequestClosed) for outcome in outcomes) == [False, True], outcomes
        assert given_back(request(waiting).order_id) == ["EUR 10.00"]


def test_approval_against_withdrawal_and_sending_back(people: dict[str, int]) -> None:
    for number in range(ROUNDS):
        waiting = decided(people)
        at = decided_at(waiting)
        other = partial(withdraw, people, "rita") if number % 2 else partial(send_back, people, "admin")
        outcomes = together(partial(approve, people, "otto", waiting, at), partial(other, waiting))
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert len(errors) == 1 and isinstance(errors[0], DecisionChanged | RequestClosed), outcomes
        is_approved = not isinstance(outcomes[0], Exception)
        row = request(waiting)
        assert (row.status == "completed") is is_approved and (row.decision is not None) is is_approved
        assert given_back(row.order_id) == (["EUR 10.00"] if is_approved else [])


def test_approval_against_a_document_that_changes_the_sum(people: dict[str, int]) -> None:
    for _ in range(ROUNDS):
        sent = document(items=[item()], total="10.00")
        take_in(sent)
        order_id = int(sent["order_id"])
        waiting = decided(people, order_id)
        at = decided_at(waiting)
        newer = sent | {"total": "8.00", "updated_at": "2026-03-05T10:00:00+00:00"}
        approved, _ = together(partial(approve, people, "otto", waiting, at), partial(take_in, newer))
        # Before the document what was decided, after it nothing: never another sum.
        assert given_back(order_id) == ([] if isinstance(approved, Exception) else ["EUR 10.00"])


def test_approval_against_a_limit_and_four_eyes_that_change(people: dict[str, int]) -> None:
    anna = factories.account("nora", role="refund_operator", stores=["shop-a"])
    for _ in range(ROUNDS):
        set_rules(limits={"EUR": "5.00"})
        waiting = decided({**people, "anna": anna})
        at = decided_at(waiting)
        stricter = partial(set_rules, four_eyes=True, limits={"EUR": "0"})
        outcomes = together(partial(approve, people, "otto", waiting, at), stricter)
        assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
        assert given_back(request(waiting).order_id) == ["EUR 10.00"]
