"""The list of deliveries, and sending them again: under the same IDs, and nothing that nobody wants any more."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.connection_states import DeliveryState
from services.actions import ActionRequest, perform
from services.connections.answers import give_up_all
from services.connections.listing import ConnectionNotFound
from services.delivery.dispatching import deliver_due
from services.delivery.event_log import LoggedDelivery, find_deliveries, replay_deliveries
from services.delivery.outcomes import Fate
from services.errors import InvalidInput, NotAllowed
from services.order_actions.subscriptions import cancel_subscription
from tests.services.delivery.support import connected_shop, deliveries, happen, states
from tests.support import factories
from tests.support.connected import awaited, confirm
from tests.support.factories import act, document, item, run
from tests.support.hook_control import HookReceiver


def listed(people: dict[str, int], connection_id: int, **chosen: Any) -> list[LoggedDelivery]:
    viewer = factories.viewer(people["admin"])
    with viewer_transaction(viewer.account_id) as connection:
        return list(find_deliveries(connection, viewer, connection_id, **chosen))


def replay(people: dict[str, int], connection_id: int, who: str = "admin", **chosen: Any) -> str:
    request = ActionRequest(key=uuid4(), address="192.0.2.1")
    return perform(factories.viewer(people[who]), request, replay_deliveries, connection_id, **chosen)


def test_the_list_says_what_became_of_each(
    connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    shop.answer({"status": 500}, {"status": 502})
    [first] = happen(1)
    deliver_due()
    [second] = happen(2)
    deliver_due()
    newer, older = listed(people, connected)
    assert (older.event_id, newer.event_id) == (first, second)
    assert (older.state, older.attempts, older.last_status) == (DeliveryState.WAITING, 2, 502)
    assert (older.last_error, older.settled_at) == ("The shop answered 502.", None)
    assert (newer.state, newer.order_id, newer.order_name) == (DeliveryState.DELIVERED, 2, "A0000000002")
    assert (newer.type, newer.action_id, newer.last_error) == ("refund.requested", second, None)
    assert listed(people, connected, state=DeliveryState.WAITING) == [older]
    assert listed(people, connected, before=newer.id) == [older] == listed(people, connected)[1:]
    assert listed(people, connected, limit=1) == [newer]
    assert listed(people, connected + 1) == []


def test_one_is_sent_again_under_its_id(connected: int, shop: HookReceiver, people: dict[str, int]) -> None:
    first, second = happen(1, 2)
    deliver_due()
    chosen = [row.id for row in listed(people, connected) if row.event_id == first]
    assert replay(people, connected, delivery_ids=chosen) == "1 event is sent again."
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert [one.id for one in shop.arrived()].count(str(first)) == 2
    assert [one.id for one in shop.arrived()].count(str(second)) == 1
    [row] = run("SELECT * FROM audit_log WHERE action = 'replay deliveries' ORDER BY id DESC LIMIT 1")
    assert row.details == {"connection": connected, "events": 1} and row.succeeded


def test_a_range_is_sent_again_in_order(connected: int, shop: HookReceiver, people: dict[str, int]) -> None:
    events = [happen(1)[0] for _ in range(4)]
    deliver_due()
    times = [row.created_at for row in reversed(listed(people, connected))]
    shop.forget()
    assert replay(people, connected, since=times[1], until=times[3]) == "2 events are sent again."
    deliver_due()
    assert [one.id for one in shop.arrived()] == [str(event_id) for event_id in events[1:3]]
    since = times[3] + timedelta(days=1)
    assert replay(people, connected, since=since) == "0 events are sent again."


def test_what_was_given_up_and_what_waits_goes_at_once(
    connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    shop.answer({"status": 500}, {"status": 500}, {"status": 500})
    happen(1)
    run("UPDATE delivery SET attempts = 10")
    deliver_due()
    happen(2)
    deliver_due()
    assert states() == {"failed": 1, "waiting": 1} and deliver_due() == {}
    since = listed(people, connected)[-1].created_at
    assert replay(people, connected, since=since, state=DeliveryState.FAILED) == "1 event is sent again."
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert replay(people, connected, since=since, state=DeliveryState.WAITING) == "1 event is sent again."
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert [row.attempts for row in deliveries()] == [1, 1]


def test_only_administrators_send_again_and_only_what_was_chosen(
    connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    happen(1)
    deliver_due()
    [row] = listed(people, connected)
    with pytest.raises(NotAllowed):
        replay(people, connected, "anna", delivery_ids=[row.id])
    with pytest.raises(InvalidInput):
        replay(people, connected)
    with pytest.raises(ConnectionNotFound):
        replay(people, connected + 1, delivery_ids=[row.id])
    other = connected_shop(shop.url("/other"))
    assert replay(people, other, delivery_ids=[row.id]) == "0 events are sent again."
    assert states() == {"delivered": 1}


@pytest.mark.parametrize(("kind", "again"), [("webhooks", "1 event is"), ("stripe", "0 events are")])
def test_an_action_that_was_answered_is_told_to_a_shop_again_and_to_no_provider(
    kind: str, again: str, connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    order_id = cancelled(people, shop)
    [[connection_id]] = run("SELECT connection_id FROM awaited_action WHERE order_id = :id", id=order_id)
    deliver_due()
    confirm(awaited(order_id).id, connection_id)
    run("UPDATE connection SET kind = :kind, out_url = NULL WHERE id = :id", kind=kind, id=connection_id)
    asked = [row.id for row in listed(people, connection_id)]
    assert replay(people, connection_id, delivery_ids=asked) == f"{again} sent again."


def test_an_action_that_was_given_up_is_not_sent_again(
    connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    order_id = cancelled(people, shop)
    [[connection_id]] = run("SELECT connection_id FROM awaited_action WHERE order_id = :id", id=order_id)
    with jobs_transaction() as connection:
        give_up_all(connection, connection_id, "Switched off.")
    deliver_due()
    asked = [row.id for row in listed(people, connection_id)]
    assert replay(people, connection_id, delivery_ids=asked) == "0 events are sent again."
    assert shop.arrived("/confirms") == []


def cancelled(people: dict[str, int], shop: HookReceiver) -> int:
    """An order of a shop that confirms, whose subscription was cancelled here."""
    connected_shop(shop.url("/confirms"), confirms=True)
    renewal = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    made = document(items=[item(subscription=renewal)])
    factories.take_in(made)
    act(people["anna"], cancel_subscription, made["order_id"], position=1)
    return int(made["order_id"])
