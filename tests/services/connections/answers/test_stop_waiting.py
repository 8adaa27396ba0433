"""The end of waiting for an answer that does not come."""

from uuid import uuid4

import pytest

from services.connections.answers import SettleOutcome
from services.connections.stop_waiting import ActionNotFound, stop_waiting
from services.errors import Conflict, InvalidInput, NotAllowed
from services.order_actions.subscriptions import cancel_subscription
from tests.services.connections.answers.support import (
    approved,
    order,
    press_fulfil,
    request_of,
    status_of,
    subject_of,
    subscribed,
)
from tests.support.connected import arrive, awaited, confirm
from tests.support.factories import act, history


def test_a_cancellation_can_be_done_again(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    act(people["anna"], cancel_subscription, order_id, position=1)
    first = awaited(order_id).id
    arrive(first)
    said = act(people["anna"], stop_waiting, order_id, action_id=first, note=" They say no. ")
    assert said.endswith("no longer waits for the shop, and can be done again.")
    assert (awaited(order_id).state, awaited(order_id).message) == ("not delivered", "They say no.")
    assert history(order_id)[-1] == (
        f"The cancellation of subscription {subject_of(order_id)} no longer waits for the shop; it can be done again. "
        "Note: They say no."
    )
    assert status_of(order_id) == "active"
    with pytest.raises(Conflict, match="does not wait for an answer any longer"):
        act(people["anna"], stop_waiting, order_id, action_id=first, note="x")
    act(people["anna"], cancel_subscription, order_id, position=1)
    assert awaited(order_id).id != first and awaited(order_id).state == "recorded"


def test_a_refund_is_stopped_by_operators_and_a_late_answer_counts(people: dict[str, int], shop: int) -> None:
    order_id = order()
    action_id = approved(people, order_id)
    with pytest.raises(NotAllowed, match="Only refund operators"):
        act(people["anna"], stop_waiting, order_id, action_id=action_id, note="x")
    with pytest.raises(InvalidInput, match="Note is needed") as refusal:
        act(people["rita"], stop_waiting, order_id, action_id=action_id, note=" ")
    assert refusal.value.field == "note"
    act(people["rita"], stop_waiting, order_id, action_id=action_id, note="Refused by e-mail.")
    assert request_of(order_id).status == "updating"
    assert confirm(action_id, shop) is SettleOutcome.CONFIRMED
    assert request_of(order_id).status == "completed"


def test_a_stopped_refund_is_fulfilled_again(people: dict[str, int], shop: int) -> None:
    order_id = order()
    first = approved(people, order_id)
    act(people["otto"], stop_waiting, order_id, action_id=first, note="No answer.")
    press_fulfil(people, request_of(order_id).id)
    assert awaited(order_id).id != first and awaited(order_id).state == "recorded"


def test_an_action_of_another_order_is_none(people: dict[str, int], shop: int) -> None:
    own, other = subscribed(), subscribed()
    act(people["anna"], cancel_subscription, other, position=1)
    for action_id in (awaited(other).id, uuid4()):
        with pytest.raises(ActionNotFound):
            act(people["anna"], stop_waiting, own, action_id=action_id, note="x")
    assert awaited(other).state == "recorded"


def test_an_answer_that_was_faster_counts(people: dict[str, int], shop: int) -> None:
    order_id = subscribed()
    act(people["anna"], cancel_subscription, order_id, position=1)
    confirm(awaited(order_id).id, shop)
    with pytest.raises(Conflict, match="Please look at the order again"):
        act(people["anna"], stop_waiting, order_id, action_id=awaited(order_id).id, note="x")
    assert (awaited(order_id).state, status_of(order_id)) == ("confirmed", "cancelled")
