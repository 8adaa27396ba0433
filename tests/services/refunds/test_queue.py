"""The queue: what is free comes first, what is overdue is marked, filters, and *Take next* for many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.errors import NotAllowed
from services.refunds.processing import fail_request
from services.refunds.queue import QueueFilter, QueueRow, QueueView, count_queue, count_waiting, find_queue
from services.refunds.taking import NothingToTake, find_last_taken, take_next
from tests.services.refunds.support import order, requested
from tests.support import factories
from tests.support.factories import act, run


@pytest.fixture(autouse=True)
def _empty(people: dict[str, int]) -> None:
    run("DELETE FROM refund_request")
    run("UPDATE checkout_page SET refund_limit_hours = NULL")


def waiting(people: dict[str, int], *hours: int, **fields: Any) -> list[int]:
    """Requests that are so old; their IDs."""
    made = [requested(people, order(**fields)) for _ in hours]
    for request_id, age in zip(made, hours, strict=True):
        run(
            "UPDATE refund_request SET requested_at = now() - :age * interval '1 hour' WHERE id = :id",
            id=request_id,
            age=age,
        )
    return made


def listed(people: dict[str, int], view: QueueView = QueueView.OPEN, **fields: Any) -> list[QueueRow]:
    with viewer_transaction(people["rita"]) as connection:
        rita = factories.viewer(people["rita"])
        return list(find_queue(connection, rita, view, queue_filter=QueueFilter(**fields)))


def ids(rows: list[QueueRow]) -> list[int]:
    return [row.request.id for row in rows]


def taken(people: dict[str, int], name: str) -> int:
    asks = factories.viewer(people[name])
    perform(asks, ActionRequest(key=uuid4(), address="192.0.2.1"), take_next)
    with viewer_transaction(people[name]) as connection:
        request_id = find_last_taken(connection, asks)
    assert request_id is not None
    return request_id


def test_what_nobody_has_taken_comes_first_then_the_oldest(people: dict[str, int]) -> None:
    old, middle, new = waiting(people, 9, 5, 1)
    assert ids(listed(people)) == [old, middle, new]
    assert taken(people, "otto") == old
    assert ids(listed(people)) == [middle, new, old]
    [[order_id, address]] = run(
        "SELECT order_id, address FROM audit_log WHERE action = 'take refund' ORDER BY id DESC LIMIT 1"
    )
    assert order_id == listed(people)[2].request.order_id and address == "192.0.2.1"
    # A page further on goes on behind the cursor, whatever it is sorted by.
    variants: tuple[dict[str, Any], ...] = ({}, {"overdue_first": True})
    for fields in variants:
        rows = listed(people, **fields)
        with viewer_transaction(people["rita"]) as connection:
            rest = find_queue(
                connection, factories.viewer(people["rita"]), QueueView.OPEN,
                queue_filter=QueueFilter(**fields), after=rows[0].cursor(QueueView.OPEN),
            )  # fmt: skip
        assert ids(list(rest)) == ids(rows[1:])


def test_what_is_older_than_the_stores_limit_is_overdue(people: dict[str, int]) -> None:
    old, middle, new = waiting(people, 9, 5, 1)
    taken(people, "otto")
    run("UPDATE checkout_page SET refund_limit_hours = 4 WHERE name = 'shop-a'")
    now = datetime.now(UTC)
    assert {row.request.id for row in listed(people) if row.is_overdue(now)} == {old, middle}
    assert ids(listed(people, overdue_first=True)) == [middle, old, new]
    assert ids(listed(people, only_overdue=True)) == [middle, old]
    with viewer_transaction(people["rita"]) as connection:
        rita = factories.viewer(people["rita"])
        figures = count_queue(connection, rita)
        assert count_waiting(connection, rita) == (2, 2)
    assert (figures.open, figures.free, figures.overdue) == (3, 2, 2)
    assert figures.operators == ((int(people["otto"]), "otto"),)
    act(people["otto"], fail_request, old, note="no")
    [closed] = listed(people, QueueView.CLOSED)
    assert not closed.is_overdue(now)


def test_the_queue_is_limited_by_store_reason_operator_and_age(people: dict[str, int]) -> None:
    old, new = waiting(people, 30, 1)
    run("UPDATE refund_request SET reason = 'Kauf WIDERRUFEN 100%' WHERE id = :id", id=old)
    assert ids(listed(people, reason="widerrufen 100%")) == [old]
    assert listed(people, reason="100_") == []
    assert ids(listed(people, older_than_hours=24)) == [old]
    assert ids(listed(people, stores=("shop-a",))) == [old, new]
    assert listed(people, stores=("shop-b",)) == []
    taken(people, "otto")
    assert ids(listed(people, operator=int(people["otto"]))) == [old]
    assert listed(people, operator=int(people["rita"])) == []
    act(people["otto"], fail_request, old, note="no")
    assert ids(listed(people, QueueView.CLOSED, operator=int(people["otto"]), older_than_hours=99)) == [old]


def test_nobody_takes_from_other_stores_or_without_the_right(people: dict[str, int]) -> None:
    with pytest.raises(NothingToTake):
        taken(people, "rita")
    run(
        "INSERT INTO refund_request (order_id, checkout_page_id, reason, requester_name, requester_email) "
        "SELECT order_id, checkout_page_id, 'r', 'n', 'n@example.com' FROM orders WHERE order_id = 1"
    )
    with pytest.raises(NothingToTake):
        taken(people, "rita")
    with pytest.raises(NotAllowed):
        taken(people, "anna")


def test_operators_who_press_at_once_get_different_requests(people: dict[str, int]) -> None:
    """Twice as many presses as requests: each request goes once, and the others are told that none is free."""
    made = waiting(people, *range(1, 7))
    barrier = Barrier(12)
    names = ["rita", "otto", "admin"] * 4

    def press(name: str) -> bool:
        asks = factories.viewer(people[name])
        barrier.wait()
        try:
            perform(asks, ActionRequest(key=uuid4(), address=None), take_next)
        except NothingToTake:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        pressed = list(pool.map(press, names))
    rows = run("SELECT id, status FROM refund_request")
    assert {row.id for row in rows if row.status == "updating"} == set(made)
    assert pressed.count(True) == len(made)
    [[lines]] = run(
        "SELECT count(*) FROM audit_log WHERE action = 'take refund' AND succeeded AND order_id IN "
        "(SELECT order_id FROM refund_request WHERE id = ANY (:ids))",
        ids=list(made),
    )
    assert lines == len(made)


def test_ones_own_request_is_left_to_others_under_four_eyes(people: dict[str, int]) -> None:
    [own] = waiting(people, 9)
    run("UPDATE checkout_page SET refund_four_eyes = true WHERE name = 'shop-a'")
    try:
        run("UPDATE refund_request SET requested_by = :id", id=int(people["rita"]))
        with pytest.raises(NothingToTake):
            taken(people, "rita")
        assert taken(people, "otto") == own
    finally:
        run("DELETE FROM refund_request")
        run("UPDATE checkout_page SET refund_four_eyes = false")
