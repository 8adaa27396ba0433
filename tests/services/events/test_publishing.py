"""What a store's connections are told of each action, and that a store without one costs and writes nothing."""

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from db.connections.engine import app_engine
from services.actions import ActionRequest, perform
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from services.privacy.erasure import Part, erase_personal_data
from services.refunds.processing import (
    fail_request,
    fulfil_request,
    refuse_request,
    release_request,
    take_request,
)
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.connected import connect, events
from tests.support.factories import act, document, item, run

STORE = "connected"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    stores = [STORE, "alone"]
    return {
        "anna": factories.account("anna", stores=stores),
        "rita": factories.account("rita", role="refund_operator", stores=stores),
        "admin": factories.account("admin", role="administrator"),
    }


@pytest.fixture(scope="module")
def shop(people: dict[str, int]) -> int:
    return connect(STORE)


def order(**given: Any) -> int:
    made = document(**{"checkout_page": STORE} | given)
    factories.take_in(made)
    return int(made["order_id"])


def request_of(order_id: int) -> int:
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
    return int(request_id)


def types(order_id: int) -> list[str]:
    return [event.type for event in events(order_id)]


def taken(people: dict[str, int], order_id: int) -> int:
    act(people["anna"], request_refund, order_id, reason="Changed her mind")
    act(people["rita"], take_request, request_of(order_id))
    return request_of(order_id)


def fulfil(people: dict[str, int], request_id: int, positions: list[int], amount: str) -> None:
    act(
        people["rita"],
        fulfil_request,
        request_id,
        positions=positions,
        expected_amount=Decimal(amount),
        delete_codes=True,
        stop_renewal=True,
        note="Done for Mrs Miller",
    )


def test_a_refund_from_request_to_completion(people: dict[str, int], shop: int) -> None:
    carried = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    order_id = order(
        payment={"provider": "stripe", "reference": "pi_1"},
        items=[
            item(item_id="x", activation_codes=[{"code": "KEY-1"}], subscription=carried),
            item(price="39.00", amount="39.00"),
        ],
    )
    request_id = taken(people, order_id)
    act(people["rita"], release_request, request_id)
    act(people["rita"], take_request, request_id)
    fulfil(people, request_id, [1], "10.00")
    assert types(order_id) == [
        "refund.requested",
        "refund.taken",
        "refund.taken",
        "subscription.cancel_requested",
        "refund.completed",
        "license.codes_deleted",
    ]
    requested, *_, cancelled, completed, deleted = events(order_id)
    assert all(event.told == [shop] for event in events(order_id))
    common = {"order_id": order_id, "order_name": f"A{order_id:010}", "store": STORE}
    assert requested.data == common | {"action_id": str(requested.action_id), "request_id": request_id}
    assert completed.data == common | {
        "action_id": str(completed.action_id),
        "request_id": request_id,
        "result": "partial",
        "currency": "EUR",
        "amount": "10.00",
        "items": [{"item_id": "x", "quantity": 1, "amount": "10.00"}],
        "codes_deleted": ["KEY-1"],
        "subscriptions_stopped": [carried["id"]],
        "payment": {"provider": "stripe", "reference": "pi_1"},
    }
    assert cancelled.data["subscription_id"] == carried["id"] and cancelled.data["item_id"] == "x"
    assert deleted.data["codes"] == ["KEY-1"]


@pytest.mark.parametrize(
    ("action", "event", "result"),
    [(refuse_request, "refund.refused", "refused"), (fail_request, "refund.failed", "failed")],
)
def test_a_refund_that_is_turned_down(
    people: dict[str, int], shop: int, action: Any, event: str, result: str
) -> None:
    order_id = order()
    request_id = taken(people, order_id)
    act(people["rita"], action, request_id, note="No, Mrs Miller")
    assert types(order_id) == ["refund.requested", "refund.taken", event]
    data = events(order_id)[-1].data
    assert (data["request_id"], data["result"]) == (request_id, result)


def test_subscriptions_licences_and_corrections(people: dict[str, int], shop: int) -> None:
    carried = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    order_id = order(items=[item(activation_codes=[{"code": "KEY-1"}], subscription=carried)])
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
    anna = people["anna"]
    act(anna, cancel_subscription, order_id, position=1, reason="Mrs Miller called")
    act(anna, resume_subscription, order_id, position=1)
    act(anna, resend_licence, order_id, code_id=code_id)
    act(anna, correct_email, order_id, email="miller@example.org", expected="ines@example.com")
    act(anna, add_note, order_id, text="Nobody else's business")
    assert types(order_id) == [
        "subscription.cancel_requested",
        "subscription.resume_requested",
        "license.resent",
        "customer.email_corrected",
    ]
    cancelled, _, resent, _ = events(order_id)
    assert cancelled.data["subscription_id"] == carried["id"]
    assert (resent.data["item_id"], resent.data["code_number"]) == ("1", 1)


def test_nothing_that_goes_out_is_personal(people: dict[str, int], shop: int) -> None:
    """Whatever the tests above have written: no e-mail, no name, no reason, no note."""
    [[bodies]] = run("SELECT coalesce(string_agg(data::text, ' '), '') FROM outbox_event")
    for personal in ("@", "Miller", "Inês", "Araújo", "her mind", "business", "anna", "rita"):
        assert personal not in bodies


def test_an_erasure_tells_the_shops_of_each_order(people: dict[str, int], shop: int) -> None:
    email = f"{uuid4().hex}@example.com"
    own, alone = (order(checkout_page=store, customer={"email": email}) for store in (STORE, "alone"))
    used = order(items=[item(license_user={"email": email})])
    expected = {own: Part.CUSTOMER, alone: Part.CUSTOMER, used: Part.LICENCE_USER}
    request = ActionRequest(key=uuid4(), address=None)
    perform(factories.viewer(people["admin"]), request, erase_personal_data, email=email, expected=expected)
    assert types(alone) == []
    told = {order_id: [(e.type, e.data["person"]) for e in events(order_id)] for order_id in (own, used)}
    assert told == {own: [("customer.erased", "customer")], used: [("customer.erased", "licence user")]}


def test_a_store_without_a_connection_writes_nothing(people: dict[str, int], shop: int) -> None:
    order_id = order(checkout_page="alone")
    fulfil(people, taken(people, order_id), [1], "10.00")
    assert events(order_id) == []


def test_a_store_without_a_connection_pays_no_statement(people: dict[str, int], shop: int) -> None:
    """Whether there is one is read with the order's lock, and nothing else is asked."""
    carried = {"id": f"S{uuid4().hex[:8]}", "type": "AR", "status": "active"}
    order_id = order(checkout_page="alone", items=[item(subscription=carried)])
    request_id = taken(people, order_id)
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    event.listen(app_engine(), "before_cursor_execute", note)
    try:
        act(people["anna"], cancel_subscription, order_id, position=1)
        fulfil(people, request_id, [1], "10.00")
    finally:
        event.remove(app_engine(), "before_cursor_execute", note)
    assert len(statements) > 20
    about = re.compile(
        r"INSERT INTO (outbox_event|delivery|awaited_action)|SELECT (connection|awaited_action)\."
    )
    assert [statement for statement in statements if about.match(statement)] == []


def test_an_event_goes_with_its_action_or_not_at_all(people: dict[str, int], shop: int) -> None:
    order_id = order(status="not paid", pay_date=None)
    with pytest.raises(Exception, match="Only a Paid order"):
        act(people["anna"], request_refund, order_id, reason="x")
    assert events(order_id) == []


def test_who_is_told(people: dict[str, int], shop: int) -> None:
    """By topic and kind; not a connection that is switched off, has no address, or belongs to another store."""
    store = "told"
    anna = factories.account("told-anna", stores=[store])
    licences = connect(store, topics=["licences"])
    refunds = connect(store, topics=["refunds"])
    connect(store, topics=["refunds"], out_url=None)
    off = connect(store, topics=["refunds"])
    run("UPDATE connection SET switched_off_at = now(), switched_off_because = 'x' WHERE id = :id", id=off)
    noventiq = connect(store, kind="noventiq", topics=["refunds"])
    connect(store, kind="noventiq", topics=[])
    stripe = connect(store, kind="stripe", topics=[])
    connect(store, kind="help desk", topics=[])
    connect("elsewhere", topics=["refunds"])
    order_id = order(checkout_page=store, items=[item(activation_codes=[{"code": "KEY-1"}])])
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
    act(anna, request_refund, order_id, reason="x")
    act(anna, resend_licence, order_id, code_id=code_id)
    assert [event.told for event in events(order_id)] == [[refunds, noventiq, stripe], [licences]]
