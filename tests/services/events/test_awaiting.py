"""The states of an action that has to be confirmed, and whose word counts."""

import re
from itertools import product
from uuid import UUID, uuid4

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.connection_states import AwaitedKind, AwaitedState, Topic
from services.access import RecordedAuthor
from services.errors import NotAllowed
from services.events.awaiting import (
    OPEN_STATES,
    TRANSITIONS,
    ActionAwaited,
    ConfirmingConnection,
    await_action,
    change_state,
    find_action,
    find_confirming,
)
from tests.support import factories
from tests.support.connected import connect
from tests.support.factories import document, run

STORE = "connected"
ANNA = RecordedAuthor(None, "anna@test.example", "Anna")


@pytest.fixture(scope="module")
def order_id(database: str) -> int:
    made = document(checkout_page=STORE)
    factories.take_in(made)
    return int(made["order_id"])


@pytest.fixture(scope="module")
def shop(order_id: int) -> ConfirmingConnection:
    return ConfirmingConnection(connect(STORE, confirms=True), "webhooks")


def record(order_id: int, shop: ConfirmingConnection, subject: str | None = None) -> UUID:
    [[store_id]] = run("SELECT checkout_page_id FROM orders WHERE order_id = :id", id=order_id)
    with jobs_transaction() as connection:
        return await_action(
            connection,
            ANNA,
            shop,
            kind=AwaitedKind.CANCEL_SUBSCRIPTION,
            subject=subject or uuid4().hex,
            order_id=order_id,
            store_id=store_id,
            wish={"reason": "x"},
        )


def put(action_id: UUID, state: AwaitedState) -> None:
    run(
        "UPDATE awaited_action SET state = :state, answered_at = CASE WHEN :state IN ('confirmed', 'refused', "
        "'not delivered') THEN now() END WHERE id = :id",
        state=state,
        id=action_id,
    )


def state_of(action_id: UUID) -> AwaitedState:
    with jobs_transaction() as connection:
        action = find_action(connection, action_id)
    assert action is not None
    return action.state


@pytest.mark.parametrize(("source", "target"), list(product(AwaitedState, AwaitedState)))
def test_every_transition_is_made_or_refused(
    order_id: int, shop: ConfirmingConnection, source: AwaitedState, target: AwaitedState
) -> None:
    action_id = record(order_id, shop)
    put(action_id, source)
    with jobs_transaction() as connection:
        changed = change_state(connection, action_id, target)
    assert changed is (target in TRANSITIONS[source])
    assert state_of(action_id) is (target if changed else source)


def test_what_may_follow_what() -> None:
    """The table of decision 026, once more by hand."""
    recorded, sent, confirmed, refused, not_delivered = AwaitedState
    answers = {confirmed, refused}
    assert {
        recorded: {sent, not_delivered} | answers,
        sent: {not_delivered} | answers,
        not_delivered: answers,
        confirmed: set(),
        refused: set(),
    } == TRANSITIONS
    assert set(OPEN_STATES) == {recorded, sent}


def test_the_tables_know_the_same_words(database: str) -> None:
    rows = run(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'awaited_action'::regclass "
        "AND contype = 'c'"
    )
    lists = [set(re.findall(r"'([^']+)'", row[0])) for row in rows]
    assert set(AwaitedState) in lists
    assert set(AwaitedKind) in lists


def test_one_open_action_per_subject(order_id: int, shop: ConfirmingConnection) -> None:
    action_id = record(order_id, shop, "S1")
    with pytest.raises(ActionAwaited):
        record(order_id, shop, "S1")
    put(action_id, AwaitedState.NOT_DELIVERED)
    record(order_id, shop, "S1")


def test_an_action_of_nobody_cannot_be_recorded_by_the_app(order_id: int, shop: ConfirmingConnection) -> None:
    anna = factories.account("anna", stores=[STORE])
    [[store_id]] = run("SELECT checkout_page_id FROM orders WHERE order_id = :id", id=order_id)
    with pytest.raises(NotAllowed), viewer_transaction(anna) as connection:
        await_action(
            connection,
            ANNA,
            shop,
            kind=AwaitedKind.CANCEL_SUBSCRIPTION,
            subject="S1",
            order_id=order_id,
            store_id=store_id,
            wish={},
        )


def test_an_action_goes_with_its_order(shop: ConfirmingConnection) -> None:
    made = document(checkout_page=STORE)
    factories.take_in(made)
    moved, gone = record(made["order_id"], shop), made["order_id"]
    factories.take_in(made | {"checkout_page": "elsewhere", "updated_at": "2026-04-01T00:00:00Z"})
    [[store]] = run(
        "SELECT p.name FROM awaited_action a JOIN checkout_page p ON p.id = a.checkout_page_id WHERE a.id = :id",
        id=moved,
    )
    assert store == "elsewhere"
    run("DELETE FROM orders WHERE order_id = :id", id=gone)
    with jobs_transaction() as connection:
        assert find_action(connection, moved) is None


def confirming(store: str, topic: Topic, provider: str | None = None) -> ConfirmingConnection | None:
    [[store_id]] = run("SELECT id FROM checkout_page WHERE name = :store", store=store)
    with jobs_transaction() as connection:
        return find_confirming(connection, store_id, topic, payment_provider=provider)


def test_whose_word_counts(database: str) -> None:
    store = "asked"
    connect(store, topics=["refunds", "subscriptions"])  # tells and does not ask
    assert confirming(store, Topic.REFUNDS) is None
    connect(store, topics=["licences"], confirms=True)
    connect(store, topics=["refunds"], confirms=True, out_url=None)
    connect("elsewhere", topics=["refunds"], confirms=True)
    assert confirming(store, Topic.REFUNDS) is None
    shop = connect(store, topics=["refunds", "subscriptions"], confirms=True)
    connect(store, topics=["refunds", "subscriptions"], confirms=True)
    assert confirming(store, Topic.REFUNDS) == (shop, "webhooks")
    stripe = connect(store, kind="stripe", topics=[])
    assert confirming(store, Topic.REFUNDS) == (shop, "webhooks")
    assert confirming(store, Topic.REFUNDS, "paypal") == (shop, "webhooks")
    assert confirming(store, Topic.REFUNDS, "Stripe") == (stripe, "stripe")
    assert confirming(store, Topic.SUBSCRIPTIONS, "stripe") == (shop, "webhooks")
    noventiq = connect(store, kind="noventiq", topics=["refunds", "subscriptions"])
    assert confirming(store, Topic.SUBSCRIPTIONS) == (noventiq, "noventiq")
    assert confirming(store, Topic.REFUNDS, "stripe") == (stripe, "stripe")
    run(
        "UPDATE connection SET switched_off_at = now(), switched_off_because = 'x' WHERE id = ANY (:ids)",
        ids=[stripe, noventiq],
    )
    assert confirming(store, Topic.REFUNDS, "stripe") == (shop, "webhooks")
