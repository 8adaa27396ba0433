"""Cancelling and resuming subscriptions: AR and PMR, parent and child orders, the subscription's own history."""

from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.errors import InvalidInput, NotAllowed, OrderNotFound
from services.order_actions.subscriptions import (
    SubscriptionNotFound,
    SubscriptionUnchanged,
    cancel_subscription,
    resume_subscription,
)
from services.orders.detail import get_order
from tests.support import factories
from tests.support.factories import act, document, history, item, run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1, checkout_page="shop-b", items=[carrying("FOREIGN")]))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
    }


def carrying(
    subscription_id: str, type_: str = "AR", status: str = "active", **fields: object
) -> dict[str, Any]:
    return item(subscription={"id": subscription_id, "type": type_, "status": status} | fields)


def order(*items: dict[str, Any], **fields: object) -> int:
    made = document(items=list(items), **fields)
    factories.take_in(made)
    return int(made["order_id"])


def family(subscription_id: str, *, child_status: str = "not paid", type_: str = "AR") -> tuple[int, int]:
    """A paid parent order and a child order of one subscription."""
    parent = order(carrying(subscription_id, type_))
    child = order(
        carrying(subscription_id, type_, parent_order_id=parent),
        status=child_status,
        pay_date="2026-03-02T00:00:00Z" if child_status == "paid" else None,
    )
    return parent, child


def statuses(subscription_id: str) -> set[str]:
    rows = run("SELECT status FROM subscription WHERE subscription_id = :id", id=subscription_id)
    return {row.status for row in rows}


def shown(account_id: int, order_id: int):  # type: ignore[no-untyped-def]
    with viewer_transaction(account_id) as connection:
        return get_order(connection, factories.viewer(account_id), order_id).items[0].subscription


@pytest.mark.parametrize("type_", ["AR", "PMR"])
def test_cancel(type_: str, people: dict[str, int]) -> None:
    order_id = order(carrying(f"C-{type_}", type_))
    sentence = act(people["anna"], cancel_subscription, order_id, position=1, reason="Asked by phone")
    assert sentence == f"Auto-renewal has been deactivated for order A{order_id:010}."
    [row] = run("SELECT * FROM subscription WHERE order_id = :id", id=order_id)
    assert (row.status, row.changed_by, row.change_reason) == (
        "cancelled", "anna@test.example", "Asked by phone",
    )  # fmt: skip
    assert row.changed_at is not None
    assert history(order_id) == [
        f"Auto-renewal has been deactivated: subscription C-{type_}. Reason: Asked by phone"
    ]
    with pytest.raises(SubscriptionUnchanged, match="cancelled already"):
        act(people["anna"], cancel_subscription, order_id, position=1)


def test_without_a_reason_the_row_still_says_why(people: dict[str, int]) -> None:
    order_id = order(carrying("NO-REASON"))
    act(people["anna"], cancel_subscription, order_id, position=1)
    [row] = run("SELECT change_reason FROM subscription WHERE order_id = :id", id=order_id)
    assert row.change_reason == "Cancel in the support portal"


@pytest.mark.parametrize(("child", "status"), [("not paid", "not paid"), ("paid", "active")])
def test_resume_follows_the_child_order(child: str, status: str, people: dict[str, int]) -> None:
    parent, _ = family(f"R-{child}", child_status=child)
    act(people["anna"], cancel_subscription, parent, position=1)
    assert act(people["anna"], resume_subscription, parent, position=1) == (
        f"Auto-renewal has been activated for order A{parent:010}."
    )
    assert statuses(f"R-{child}") == {status}
    with pytest.raises(SubscriptionUnchanged, match="active already"):
        act(people["anna"], resume_subscription, parent, position=1)


def test_resume_without_a_child_order(people: dict[str, int]) -> None:
    order_id = order(carrying("ALONE", status="cancelled"))
    act(people["anna"], resume_subscription, order_id, position=1)
    assert statuses("ALONE") == {"active"}


def test_a_cancelled_pmr_is_not_resumed(people: dict[str, int]) -> None:
    order_id = order(carrying("PMR", "PMR", "cancelled"))
    before = factories.everything()
    with pytest.raises(SubscriptionUnchanged, match="A PMR subscription cannot be resumed"):
        act(people["anna"], resume_subscription, order_id, position=1)
    assert factories.everything() == before


@pytest.mark.parametrize("through", ["parent", "child"])
def test_parent_and_child_say_the_same(through: str, people: dict[str, int]) -> None:
    parent, child = family(f"F-{through}")
    pressed = parent if through == "parent" else child
    act(people["anna"], cancel_subscription, pressed, position=1, reason="r")
    for order_id in (parent, child):
        seen = shown(people["anna"], order_id)
        assert not seen.activated
        assert [(e.action, e.changed_by, e.reason) for e in seen.events] == [("cancel", "anna", "r")]
    assert len(history(parent)) + len(history(child)) == 1
    assert len(history(pressed)) == 1


def test_the_same_subscription_id_in_another_store_is_another_subscription(people: dict[str, int]) -> None:
    order_id = order(carrying("FOREIGN"))
    act(people["anna"], cancel_subscription, order_id, position=1)
    assert run("SELECT status FROM subscription WHERE order_id = 1") == [("active",)]


def test_the_shops_later_document_wins_and_an_earlier_one_does_not(people: dict[str, int]) -> None:
    order_id = order(carrying("LATER"))
    act(people["anna"], cancel_subscription, order_id, position=1)
    for updated, status in (("2026-03-02T00:00:00Z", "cancelled"), ("2199-01-01T00:00:00Z", "active")):
        factories.take_in(document(order_id=order_id, updated_at=updated, items=[carrying("LATER")]))
        assert statuses("LATER") == {status}


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ((item(),), "an item without a subscription"),
        ((carrying("MANUAL", "MANUAL"),), "another renewal mechanism"),
    ],
)
@pytest.mark.parametrize("work", [cancel_subscription, resume_subscription])
def test_no_subscription(made: tuple[Any, ...], why: str, work: object, people: dict[str, int]) -> None:
    order_id = order(*made)
    for position in (1, 2, 0):
        with pytest.raises(SubscriptionNotFound):
            act(people["anna"], work, order_id, position=position)  # type: ignore[arg-type]


def test_an_unpaid_parent_order_has_none(people: dict[str, int]) -> None:
    order_id = order(carrying("UNPAID"), status="not paid", pay_date=None)
    with pytest.raises(SubscriptionNotFound):
        act(people["anna"], cancel_subscription, order_id, position=1)


@pytest.mark.parametrize("work", [cancel_subscription, resume_subscription])
@pytest.mark.parametrize(("name", "error"), [("carla", NotAllowed), ("anna", OrderNotFound)])
def test_who_may_not(name: str, error: type, work: object, people: dict[str, int]) -> None:
    order_id = order(carrying("MAY-NOT")) if error is NotAllowed else 1
    before = factories.everything()
    with pytest.raises(error):
        act(people[name], work, order_id, position=1)  # type: ignore[arg-type]
    assert factories.everything() == before


def test_a_reason_that_is_too_long(people: dict[str, int]) -> None:
    order_id = order(carrying("LONG"))
    with pytest.raises(InvalidInput, match="500 characters at most; this has 501"):
        act(people["anna"], cancel_subscription, order_id, position=1, reason="x" * 501)
    assert statuses("LONG") == {"active"}
