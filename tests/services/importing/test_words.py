"""Whose word counts of a subscription: the later one, for all its orders, in whatever sequence the words come."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from db.connections.engine import jobs_transaction
from services.importing.importer import import_orders
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from tests.support import factories
from tests.support.factories import Document, act, document, item, run, take_in


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    take_in(document(order_id=1))
    return factories.account("anna", stores=["shop-a"])


def says(order_id: int, status: str, at: str | None, *, parent: int | None = 10, **fields: Any) -> Document:
    """A document of one order of the subscription S."""
    subscription: dict[str, object] = {"id": "S", "type": "AR", "status": status}
    if parent not in (None, order_id):
        subscription["parent_order_id"] = parent
    return document(order_id=order_id, updated_at=at, items=[item(subscription=subscription)], **fields)


def statuses() -> dict[int, str]:
    return {row.order_id: row.status for row in run("SELECT order_id, status FROM subscription")}


def flags() -> set[tuple[bool, bool]]:
    rows = run("SELECT active_subscription, cancelled_subscription FROM orders WHERE order_id >= 10")
    return {tuple(row) for row in rows}


def test_a_new_child_that_is_older_than_the_cancelling_is_cancelled_as_well(anna: int) -> None:
    take_in(says(10, "active", None))
    act(anna, cancel_subscription, 10, position=1)
    take_in(says(11, "active", "2026-03-02T00:00:00Z"), says(12, "active", None))
    assert statuses() == {10: "cancelled", 11: "cancelled", 12: "cancelled"}
    assert flags() == {(False, True)}


def test_a_later_document_of_one_order_counts_for_all(anna: int) -> None:
    take_in(says(10, "active", None), says(11, "active", None))
    act(anna, cancel_subscription, 10, position=1)
    take_in(says(11, "active", "2100-01-01T00:00:00Z"))
    assert statuses() == {10: "active", 11: "active"}
    assert flags() == {(True, False)}
    [event] = run("SELECT * FROM subscription_event WHERE action = 'document'")
    assert (event.from_status, event.to_status, event.order_id) == ("cancelled", "active", 11)
    assert [text for text in factories.history(11) if "by the shop: subscription S" in text]
    # Whoever acts afterwards has the last word, even though the document bears a date that is still to come.
    act(anna, cancel_subscription, 10, position=1)
    take_in(says(12, "active", "2026-03-02T00:00:00Z"))
    assert set(statuses().values()) == {"cancelled"}


def test_an_order_created_or_paid_after_the_cancelling_is_a_later_word(anna: int) -> None:
    take_in(says(10, "active", None))
    run("UPDATE subscription SET status = 'cancelled', changed_at = '2026-03-05', changed_by = 'Anna'")
    take_in(says(11, "active", None, pay_date="2026-03-06T00:00:00Z"))
    assert statuses() == {10: "active", 11: "active"}


def test_a_document_without_a_date_takes_back_what_the_same_order_said(anna: int) -> None:
    take_in(says(10, "active", None))
    take_in(says(10, "cancelled", None))
    assert statuses() == {10: "cancelled"}
    take_in(says(10, "active", None))
    assert statuses() == {10: "active"}


def test_the_same_id_in_another_store_is_another_subscription(anna: int) -> None:
    take_in(says(10, "active", None), says(11, "active", None, checkout_page="shop-b"))
    act(anna, cancel_subscription, 10, position=1)
    take_in(says(11, "active", None, checkout_page="shop-b", locale="de"))
    assert statuses() == {10: "cancelled", 11: "active"}


def test_an_order_moves_to_another_subscription_and_takes_nothing_along(anna: int) -> None:
    take_in(says(10, "active", None), says(11, "active", None))
    act(anna, cancel_subscription, 10, position=1)
    other = says(11, "active", None)
    other["items"][0]["subscription"]["id"] = "T"
    take_in(other)
    assert statuses() == {10: "cancelled", 11: "active"}


def test_resuming_here_outlives_an_older_document(anna: int) -> None:
    take_in(says(10, "active", None))
    act(anna, cancel_subscription, 10, position=1)
    act(anna, resume_subscription, 10, position=1)
    take_in(says(11, "cancelled", "2026-03-04T00:00:00Z"))
    assert statuses() == {10: "active", 11: "active"}


WORDS = ("active", "not paid", "cancelled")
TIMES = [f"2026-04-{day:02}T00:00:00+00:00" for day in range(1, 8)]
said = st.tuples(st.sampled_from((10, 11, 12)), st.sampled_from(WORDS), st.sampled_from(TIMES))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(said, min_size=1, max_size=4, unique_by=(lambda word: (word[0], word[2]))),
    portal=st.tuples(st.sampled_from(("active", "cancelled")), st.sampled_from(TIMES)),
    together=st.booleans(),
)
def test_the_sequence_in_which_words_come_does_not_matter(
    anna: int, documents: list[tuple[int, str, str]], portal: tuple[str, str], together: bool
) -> None:
    """An order's own documents come in any sequence, and so does the portal's action; the latest word is in force."""
    newest = {
        order_id: max(word[2] for word in documents if word[0] == order_id) for order_id, *_ in documents
    }
    latest = max(newest.values())
    at_latest = [word for order_id, word, at in documents if at == latest]
    expected = (
        "cancelled" if "cancelled" in at_latest else "not paid" if "not paid" in at_latest else "active"
    )
    if portal[1] >= latest:
        expected = portal[0]
    base = [says(n, "active", "2026-03-01T00:00:00Z") for n in (10, 11, 12)]
    steps: list[Any] = [says(order_id, word, at) for order_id, word, at in documents] + [None]
    # All in one transaction, which every sequence begins from anew: most of the time went into the tables of each
    # import and into filling the base again.
    with jobs_transaction() as connection:
        imported(connection, base)
        for sequence in itertools.islice(itertools.permutations(steps), 0, None, 7):
            begun = connection.begin_nested()
            waiting: list[Document] = []
            for step in (*sequence, None):
                if step is not None:
                    waiting.append(step)
                    if together:
                        continue
                if waiting:
                    imported(connection, waiting)
                    waiting.clear()
                if step is None:
                    # Only a word that is later than what is in force is spoken: the page offers no other.
                    connection.execute(_SPOKEN, {"word": portal[0], "at": portal[1]})
            in_force = connection.execute(text("SELECT DISTINCT status FROM subscription")).scalars().all()
            assert in_force == [expected], sequence
            begun.rollback()
        connection.rollback()


_SPOKEN = text(
    "UPDATE subscription SET status = :word, changed_at = :at, changed_by = 'Anna' WHERE NOT EXISTS "
    "(SELECT FROM orders WHERE order_id >= 10 AND source_updated_at > CAST(:at AS timestamptz))"
)


def imported(connection: Connection, documents: list[Document]) -> None:
    import_orders(connection, [(number, json.dumps(it).encode()) for number, it in enumerate(documents, 1)])
