"""Two people press at the same instant, in two database sessions: one effect, and one clear refusal."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Select

from services.actions import ActionRequest, perform
from services.errors import SupportError
from services.order_actions import subscriptions
from services.order_actions.customer_email import CustomerErased, EmailChangedMeanwhile, correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.subscriptions import (
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.privacy.erasure import Part, erase_personal_data
from services.refunds.processing import fulfil_request, refuse_request, take_request
from services.refunds.request_lock import RequestClosed
from services.refunds.requests import RefundAlreadyRequested, request_refund
from tests.support import factories
from tests.support.factories import act, document, item, run
from tests.support.rounds import RACE_ROUNDS

pytestmark = pytest.mark.slow

Outcome = str | SupportError


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "berta": factories.account("berta", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
    }


@pytest.fixture(scope="module")
def together() -> Iterator[Callable[..., list[Outcome]]]:
    """Calls functions without arguments at the same moment; what each returned, or the error that it raised."""
    with ThreadPoolExecutor(2) as pool:

        def call(*works: Callable[[], Any]) -> list[Outcome]:
            barrier = Barrier(len(works), timeout=30)

            def outcome(work: Callable[[], Any]) -> Outcome:
                barrier.wait()
                try:
                    return str(work())
                except SupportError as error:
                    return error

            return list(pool.map(outcome, works))

        yield call


def orders(**fields: Any) -> list[int]:
    """One order for each round."""
    made = [document(**fields) for _ in range(RACE_ROUNDS)]
    factories.take_in(*made)
    return [int(order["order_id"]) for order in made]


def lines(order_ids: list[int], beginning: str) -> Counter[int]:
    """How many lines of the history begin like this, by order."""
    rows = run(
        "SELECT order_id FROM order_history WHERE order_id = ANY (:ids) AND text LIKE :text",
        ids=order_ids,
        text=f"{beginning}%",
    )
    return Counter(row.order_id for row in rows)


def once_each(order_ids: list[int]) -> Counter[int]:
    return Counter(order_ids)


def one_of_two(outcomes: list[Outcome], refusal: type[SupportError]) -> None:
    assert Counter(type(outcome) for outcome in outcomes) == Counter([str, refusal]), outcomes


def test_refund_and_refund(people: dict[str, int], together: Callable[..., list[Outcome]]) -> None:
    ids = orders()
    for order_id in ids:
        outcomes = together(
            *(partial(act, people[name], request_refund, order_id, reason=name) for name in ("anna", "berta"))
        )  # fmt: skip
        one_of_two(outcomes, RefundAlreadyRequested)
    assert lines(ids, "Refund request has been sent") == once_each(ids)
    rows = run("SELECT order_id FROM refund_request WHERE order_id = ANY (:ids)", ids=ids)
    assert Counter(row.order_id for row in rows) == once_each(ids)


def families() -> list[tuple[int, int]]:
    """A parent and a child order of one subscription for each round."""
    made = []
    for _ in range(RACE_ROUNDS):
        subscription = {"id": f"S{uuid4().hex[:12]}", "type": "AR", "status": "active"}
        parent = document(items=[item(subscription=subscription)])
        child_carries = subscription | {"parent_order_id": parent["order_id"]}
        made += [parent, document(items=[item(subscription=child_carries)])]
    factories.take_in(*made)
    ids = [int(order["order_id"]) for order in made]
    return list(zip(ids[::2], ids[1::2], strict=True))


def test_cancel_and_cancel_through_parent_and_child(
    people: dict[str, int], together: Callable[..., list[Outcome]]
) -> None:
    pairs = families()
    for parent, child in pairs:
        outcomes = together(
            partial(act, people["anna"], cancel_subscription, parent, position=1),
            partial(act, people["berta"], cancel_subscription, child, position=1),
        )
        one_of_two(outcomes, SubscriptionUnchanged)
    written = lines([order_id for pair in pairs for order_id in pair], "Auto-renewal has been deactivated")
    assert [written[parent] + written[child] for parent, child in pairs] == [1] * RACE_ROUNDS


def test_cancel_and_resume(people: dict[str, int], together: Callable[..., list[Outcome]]) -> None:
    ids = orders(items=[item(subscription={"id": "S1", "type": "AR", "status": "active"})])
    # Orders of one store share a subscription by its ID; here each has its own.
    run("UPDATE subscription SET subscription_id = 'R' || order_id WHERE order_id = ANY (:ids)", ids=ids)
    for order_id in ids:
        cancelled, resumed = together(
            partial(act, people["anna"], cancel_subscription, order_id, position=1),
            partial(act, people["berta"], resume_subscription, order_id, position=1),
        )
        assert isinstance(cancelled, str)
        assert isinstance(resumed, str | SubscriptionUnchanged)
        events = run("SELECT * FROM subscription_event WHERE order_id = :id ORDER BY id", id=order_id)
        steps = [(event.from_status, event.to_status) for event in events]
        expected = [("active", "cancelled")] + [("cancelled", "active")] * isinstance(resumed, str)
        assert steps == expected
        [[status]] = run("SELECT status FROM subscription WHERE order_id = :id", id=order_id)
        assert status == steps[-1][1]
    assert sum(lines(ids, "Auto-renewal has been").values()) == len(
        run("SELECT 1 FROM subscription_event WHERE order_id = ANY (:ids)", ids=ids)
    )


def test_resend_and_resend_with_one_key(
    people: dict[str, int], together: Callable[..., list[Outcome]]
) -> None:
    ids = orders(items=[item(activation_codes=[{"code": "LIVE"}])])
    codes = {
        row.order_id: row.id
        for row in run("SELECT order_id, id FROM activation_code WHERE order_id = ANY (:ids)", ids=ids)
    }
    for order_id in ids:
        press = partial(act, people["anna"], resend_licence, order_id, code_id=codes[order_id], key=uuid4())
        first, second = together(press, press)
        assert isinstance(first, str) and first == second
    rows = run("SELECT order_id FROM mail WHERE order_id = ANY (:ids)", ids=ids)
    assert Counter(row.order_id for row in rows) == once_each(ids)


def test_fulfil_and_refuse(people: dict[str, int], together: Callable[..., list[Outcome]]) -> None:
    ids = orders()
    requests = {}
    for order_id in ids:
        act(people["anna"], request_refund, order_id, reason="x")
        [[requests[order_id]]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
        act(people["rita"], take_request, requests[order_id])
    for order_id, request_id in requests.items():
        outcomes = together(
            partial(act, people["rita"], fulfil_request, request_id,
                positions=[1], expected_amount=Decimal(10), delete_codes=True, stop_renewal=True, note="x",
            ),
            partial(act, people["rita"], refuse_request, request_id, note="x"),
        )  # fmt: skip
        one_of_two(outcomes, RequestClosed)
        [[status, refund_status]] = run(
            "SELECT status, refund_status FROM orders WHERE order_id = :id", id=order_id
        )
        assert (status, refund_status) in (("deleted", "completed"), ("paid", "refused"))
        assert (status == "deleted") == isinstance(outcomes[0], str)
    closed = lines(ids, "Request has been completed") + lines(ids, "Refusal to refund")
    assert closed == once_each(ids)
    rows = run("SELECT order_id FROM mail WHERE order_id = ANY (:ids)", ids=ids)
    assert Counter(row.order_id for row in rows) == once_each(ids)


def erase(order_id: int) -> None:
    factories.take_in(document(order_id=order_id, customer={"erased": True}))


def test_refund_and_erasure(people: dict[str, int], together: Callable[..., list[Outcome]]) -> None:
    ids = orders()
    for order_id in ids:
        requested, _ = together(
            partial(act, people["anna"], request_refund, order_id, reason="x"), partial(erase, order_id)
        )
        assert isinstance(requested, str)
    rows = run(
        "SELECT customer_erased, email, last_name, refund_status FROM orders WHERE order_id = ANY (:ids)",
        ids=ids,
    )
    assert Counter(tuple(row) for row in rows) == {(True, None, None, "requested"): RACE_ROUNDS}
    assert lines(ids, "Refund request has been sent") == once_each(ids)


def test_correction_and_erasure(people: dict[str, int], together: Callable[..., list[Outcome]]) -> None:
    ids = orders()
    for order_id in ids:
        corrected, _ = together(
            partial(
                act,
                people["anna"],
                correct_email,
                order_id,
                email="new@example.com",
                expected="ines@example.com",
            ),
            partial(erase, order_id),
        )
        assert isinstance(corrected, str | CustomerErased | EmailChangedMeanwhile)
    assert run("SELECT DISTINCT customer_erased, email FROM orders WHERE order_id = ANY (:ids)", ids=ids) == [
        (True, None)
    ]


def test_refund_and_deletion_of_the_person(
    people: dict[str, int], together: Callable[..., list[Outcome]]
) -> None:
    admin = factories.viewer(people["admin"])
    made = [document(customer={"email": f"person-{number}@example.com"}) for number in range(RACE_ROUNDS)]
    factories.take_in(*made)
    ids = [int(order["order_id"]) for order in made]

    def delete(email: str, order_id: int) -> str:
        expected = {order_id: Part.CUSTOMER}
        request = ActionRequest(key=uuid4(), address=None)
        return perform(admin, request, erase_personal_data, email=email, expected=expected)

    for number, order_id in enumerate(ids):
        email = f"person-{number}@example.com"
        outcomes = together(
            partial(act, people["anna"], request_refund, order_id, reason=f"Asked by {email}"),
            partial(delete, email, order_id),
        )
        assert all(isinstance(outcome, str) for outcome in outcomes), outcomes
    assert lines(ids, "Refund request has been sent") == once_each(ids)
    assert lines(ids, "Personal data anonymize") == once_each(ids)
    assert run(
        "SELECT count(*) FROM orders WHERE order_id = ANY (:ids) AND NOT customer_erased", ids=ids
    ) == [(0,)]


@pytest.mark.parametrize("locks", [True, False])
def test_the_lock_is_what_keeps_them_apart(
    locks: bool,
    people: dict[str, int],
    together: Callable[..., list[Outcome]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: without the lock both find the subscription active, and both cancel it."""
    order_id = orders(items=[item(subscription={"id": "S1", "type": "AR", "status": "active"})])[0]
    run("UPDATE subscription SET subscription_id = 'C' || order_id WHERE order_id = :id", id=order_id)
    if not locks:
        monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)
    looked = Barrier(2)
    honest = subscriptions.why_not_cancelled

    def slow(**arguments: Any) -> str | None:
        answer = honest(**arguments)
        try:
            looked.wait(1.0)  # until the other one has looked as well; under the lock it cannot
        except Exception:
            assert locks
        return answer

    monkeypatch.setattr(subscriptions, "why_not_cancelled", slow)
    outcomes = together(
        *(partial(act, people[name], cancel_subscription, order_id, position=1) for name in ("anna", "berta"))
    )
    done = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(done) == (1 if locks else 2)
    assert lines([order_id], "Auto-renewal has been deactivated")[order_id] == len(done)
    assert all(re.search("deactivated", sentence) for sentence in done)
