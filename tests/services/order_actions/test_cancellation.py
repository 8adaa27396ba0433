"""Cancelling an unpaid order, and what later documents of the shop do with it."""

from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.errors import InvalidInput, NotAllowed, OrderNotFound
from services.order_actions.cancellation import OrderNotCancelled, cancel_unpaid_order
from tests.support import factories
from tests.support.connected import connect, events
from tests.support.factories import act, document, history, run

UNPAID: dict[str, Any] = {"status": "not paid", "pay_date": None}
LINE = "The unpaid order was cancelled. Reason: Ordered twice"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1, checkout_page="shop-b", **UNPAID))
    return {
        "anna": factories.account("anna", stores=["shop-a", "told"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
    }


def order(**given: Any) -> int:
    made = document(**UNPAID | given)
    factories.take_in(made)
    return int(made["order_id"])


def cancelled(people: dict[str, int], **given: Any) -> int:
    order_id = order(**given)
    act(people["anna"], cancel_unpaid_order, order_id, reason=" Ordered twice ")
    return order_id


def newer(order_id: int, updated_at: str = "2100-01-01T10:00:00Z", **given: Any) -> None:
    factories.take_in(document(order_id=order_id, updated_at=updated_at, **given))


def state(order_id: int) -> tuple[str, bool]:
    """The main status, and whether the order counts as cancelled here."""
    [row] = run("SELECT status, cancelled_at IS NOT NULL FROM orders WHERE order_id = :id", id=order_id)
    return row[0], row[1]


def test_it_becomes_deleted(people: dict[str, int]) -> None:
    order_id = order()
    sentence = act(people["anna"], cancel_unpaid_order, order_id, reason=" Ordered twice ")
    assert sentence == f"Order A{order_id:010} was cancelled; it is Deleted now."
    assert state(order_id) == ("deleted", True)
    assert history(order_id) == [LINE]
    [[details]] = run(
        "SELECT details FROM audit_log WHERE order_id = :id AND action = 'cancel order'", id=order_id
    )
    assert details == {"reason": "Ordered twice"}


@pytest.mark.parametrize(("status", "why"), [
    ("paid", "ended by a refund"), ("deleted", "Deleted already"), ("terminated", "Terminated already"),
])  # fmt: skip
def test_only_orders_that_wait_for_payment(people: dict[str, int], status: str, why: str) -> None:
    order_id = order(status=status, pay_date="2026-03-01T10:05:00Z")
    with pytest.raises(OrderNotCancelled, match=why):
        act(people["anna"], cancel_unpaid_order, order_id, reason="x")
    assert history(order_id) == []


def test_who_and_why(people: dict[str, int]) -> None:
    order_id = order()
    with pytest.raises(InvalidInput, match="Reason is needed"):
        act(people["anna"], cancel_unpaid_order, order_id, reason=" ")
    with pytest.raises(NotAllowed):
        act(people["carla"], cancel_unpaid_order, order_id, reason="x")
    with pytest.raises(OrderNotFound):
        act(people["anna"], cancel_unpaid_order, 1, reason="x")
    assert state(order_id) == ("not paid", False)


def test_connections_are_told(people: dict[str, int]) -> None:
    shop = connect("told")
    order_id = cancelled(people, checkout_page="told")
    [event] = events(order_id)
    assert (event.type, event.told) == ("order.cancelled", [shop])
    assert set(event.data) == {"action_id", "order_id", "order_name", "store"}


def test_a_shop_that_repeats_not_paid_changes_nothing(people: dict[str, int]) -> None:
    order_id = cancelled(people)
    newer(order_id, **UNPAID)
    assert state(order_id) == ("deleted", True)
    assert history(order_id) == [LINE]


@pytest.mark.parametrize(("at", "tail"), [
    ("2100-01-01T10:00:00Z", " is later than what was done here"),
    # Paid just before: the document was on its way.
    ("2026-03-01T11:00:00Z", " came after the order was cancelled here"),
])  # fmt: skip
def test_a_payment_overrules_us(people: dict[str, int], at: str, tail: str) -> None:
    order_id = cancelled(people)
    newer(order_id, at)
    assert state(order_id) == ("paid", False)
    [_, line] = history(order_id)
    assert line.startswith("The status has been set to Paid by the shop. Its document of ")
    assert line.endswith(tail)
    # From here on it is an order like any other.
    newer(order_id, "2100-01-02T10:00:00Z", **UNPAID)
    assert state(order_id) == ("not paid", False)
    assert len(history(order_id)) == 2


def test_a_shop_that_says_deleted_agrees(people: dict[str, int]) -> None:
    order_id = cancelled(people)
    newer(order_id, status="deleted", pay_date=None)
    assert state(order_id) == ("deleted", True)
    assert history(order_id) == [LINE]


def test_nobody_who_may_only_look_gets_past_the_database(people: dict[str, int]) -> None:
    order_id = order()
    with viewer_transaction(people["carla"]) as connection:
        changed = connection.exec_driver_sql(
            "UPDATE orders SET cancelled_at = now() WHERE order_id = %s", (order_id,)
        )
        assert changed.rowcount == 0
