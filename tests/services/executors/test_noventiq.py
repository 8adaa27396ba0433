"""Noventiq as executor, against a vendor of its own process: cancel, resume, and ask for a refund once."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from services.events.event_types import EventType
from services.executors.interface import (
    Accepted,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Payment,
    Refused,
    Succeeded,
    TryLater,
)
from services.executors.noventiq import NO_CREDENTIALS, NO_EMAIL, NoventiqExecutor
from services.executors.registry import find_executor
from tests.support.factories import document, item, run, take_in
from tests.support.noventiq import FakeNoventiq, Json, connection_of, fake_noventiq, order, product

_numbers = itertools.count(900_001)
AR, PMR = {"type": "AR"}, {"type": "PMR"}
executor = NoventiqExecutor()


@pytest.fixture(scope="module")
def process(database: str) -> Iterator[FakeNoventiq]:
    with pytest.MonkeyPatch.context() as patch, fake_noventiq() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running


@pytest.fixture(scope="module")
def connection_id(process: FakeNoventiq) -> int:
    return connection_of("shop-e", api_url=process.url)[0]


@pytest.fixture
def vendor(process: FakeNoventiq) -> FakeNoventiq:
    process.control("reset")
    return process


def outgoing(
    vendor: FakeNoventiq, event: EventType, order_id: int, *, action_id: UUID | None = None, **data: object
) -> OutgoingEvent:
    return OutgoingEvent(
        event_id=uuid4(),
        action_id=action_id or uuid4(),
        event=event,
        connection_id=1,
        store_id=1,
        order_id=order_id,
        created_at=datetime.now(UTC),
        data={"order_name": f"A{order_id:010}"} | data,
        options={"username": "merchant", "api_url": vendor.url},
        secrets=("1234",),
    )


def switching(vendor: FakeNoventiq, event: EventType, subscription: Json) -> OutgoingEvent:
    order_id = next(_numbers)
    subscription_id = f"{order_id}_1"
    bought = order(order_id, product(1, subscription={"id": subscription_id} | subscription), status="paid")
    vendor.control("order", **bought)
    return outgoing(vendor, event, order_id, subscription_id=subscription_id, item_id="1")


def status_of(vendor: FakeNoventiq, sent: OutgoingEvent) -> str:
    return str(vendor.control("state")["subscriptions"][sent.data["subscription_id"]]["status"])


@pytest.mark.parametrize("kind", [AR, PMR])
@pytest.mark.parametrize("status", ["active", "not paid", "not_paid"])
def test_ar_and_pmr_are_cancelled(vendor: FakeNoventiq, kind: Json, status: str) -> None:
    sent = switching(vendor, EventType.CANCEL_REQUESTED, kind | {"status": status})
    assert executor.send(sent) == Accepted(sent.data["subscription_id"])
    assert status_of(vendor, sent) == "cancelled"
    assert vendor.calls("modify_activity")[0]["body"] == {
        "id": sent.data["subscription_id"],
        "activity": False,
        "suppress_customer_notification": False,
    }


def test_only_ar_is_resumed(vendor: FakeNoventiq) -> None:
    sent = switching(vendor, EventType.RESUME_REQUESTED, AR | {"status": "cancelled"})
    assert isinstance(executor.send(sent), Accepted) and status_of(vendor, sent) == "active"
    other = switching(vendor, EventType.RESUME_REQUESTED, PMR | {"status": "cancelled"})
    assert executor.send(other) == Refused(
        "Noventiq resumes AR subscriptions only.", other.data["subscription_id"]
    )
    assert status_of(vendor, other) == "cancelled" and len(vendor.calls("modify_activity")) == 1


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (EventType.CANCEL_REQUESTED, "cancelled"),
        (EventType.RESUME_REQUESTED, "active"),
        (EventType.RESUME_REQUESTED, "not_paid"),
    ],
)
def test_what_is_done_already_is_not_done_again(vendor: FakeNoventiq, event: EventType, status: str) -> None:
    """No message would come for it, so it is known to have succeeded at once."""
    sent = switching(vendor, event, AR | {"status": status})
    assert executor.send(sent) == Succeeded(sent.data["subscription_id"])
    assert vendor.calls("modify_activity") == []


def test_a_lost_answer_is_looked_into_before_the_repetition(vendor: FakeNoventiq) -> None:
    sent = switching(vendor, EventType.CANCEL_REQUESTED, AR | {"status": "active"})
    vendor.control("fault", path="modify_activity", lost=True)
    assert isinstance(executor.send(sent), TryLater)
    assert executor.send(sent) == Succeeded(sent.data["subscription_id"])
    assert len(vendor.calls("modify_activity")) == 1


def test_subscriptions_unknown_to_the_vendor(vendor: FakeNoventiq) -> None:
    for subscription_id in ("999_1", "sub-7", "../order"):
        sent = outgoing(vendor, EventType.CANCEL_REQUESTED, 1, subscription_id=subscription_id)
        assert isinstance(executor.send(sent), Refused)


def test_troubles_are_tried_again_later(vendor: FakeNoventiq) -> None:
    sent = switching(vendor, EventType.CANCEL_REQUESTED, AR | {"status": "active"})
    vendor.control("fault", path="/v1/subscription", status=429, headers={"Retry-After": "30"})
    assert executor.send(sent) == TryLater("Noventiq answered 429.", 429, 30.0)
    vendor.control("set", tokens={}, password="changed")
    assert executor.send(sent) == TryLater(
        "Noventiq refused the user name or the password of this connection.", 401
    )
    assert executor.send(replace(sent, secrets=())) == NotSent(NO_CREDENTIALS)


def refunding(vendor: FakeNoventiq, connection_id: int, *positions: int, **options: str) -> OutgoingEvent:
    """An approved refund of some items of an order of two, recorded as an action that waits."""
    order_id, action_id = next(_numbers), uuid4()
    names = ["Antivirus", "Ünïcode " + "x" * 600]
    take_in(
        document(
            order_id=order_id,
            checkout_page="shop-e",
            items=[item(product_id=f"{number}", name=name) for number, name in enumerate(names, 1)],
        )
    )
    vendor.control("order", **order(order_id, status="paid"))
    run(
        "INSERT INTO awaited_action (id, connection_id, order_id, checkout_page_id, kind, subject, wish, "
        "account_name, account_email) SELECT :id, :connection, order_id, checkout_page_id, 'refund', :subject, "
        "'{}', 'Rita', 'rita@merchant.example' FROM orders WHERE order_id = :order",
        id=action_id, connection=connection_id, order=order_id, subject=str(order_id),
    )  # fmt: skip
    sent = outgoing(
        vendor,
        EventType.REFUND_APPROVED,
        order_id,
        action_id=action_id,
        request_id=311,
        currency="EUR",
        amount="10.00",
        items=[{"item_id": str(position), "quantity": 1, "amount": "10.00"} for position in positions],
        payment={"provider": None, "reference": None},
    )
    return replace(sent, options={**sent.options, **options})


def test_a_refund_is_asked_for(vendor: FakeNoventiq, connection_id: int) -> None:
    sent = refunding(vendor, connection_id, 1)
    assert executor.send(sent) == Accepted(str(sent.order_id))
    [call] = vendor.calls("refund")
    assert call["body"] == {
        "description": f"Partial refund of order {sent.data['order_name']}, EUR 10.00, request 311. "
        "Items: Antivirus",
        "email": "rita@merchant.example",  # ours: the vendor asks the merchant, and not the customer
    }


def test_the_description_fits_and_the_connections_email_comes_first(
    vendor: FakeNoventiq, connection_id: int
) -> None:
    sent = refunding(vendor, connection_id, 1, 2, refund_email="refunds@merchant.example")
    assert isinstance(executor.send(sent), Accepted)
    [call] = vendor.calls("refund")
    assert call["body"]["description"].startswith("Full refund of order")
    assert len(call["body"]["description"]) == 500
    assert call["body"]["email"] == "refunds@merchant.example"
    too_long = refunding(vendor, connection_id, 1, refund_email="x" * 72 + "@m.example")
    assert executor.send(too_long) == NotSent(NO_EMAIL) and len(vendor.calls("refund")) == 1


def test_a_refund_whose_answer_was_lost_is_one_refund(vendor: FakeNoventiq, connection_id: int) -> None:
    """The vendor refuses the repetition because the first is open; that is not passed on as a refusal."""
    sent = refunding(vendor, connection_id, 1)
    vendor.control("fault", path="refund", lost=True)
    assert isinstance(executor.send(sent), TryLater)
    assert executor.send(sent) == Accepted(str(sent.order_id))
    assert vendor.control("state")["open_refunds"] == [sent.order_id]


def test_a_refund_that_the_vendor_refuses(vendor: FakeNoventiq, connection_id: int) -> None:
    first = refunding(vendor, connection_id, 1)
    vendor.control("order", **order(first.order_id, status="not paid"))
    refused = Refused("Noventiq answered 400: A refund cannot be requested.")
    assert executor.send(first) == refused
    assert executor.send(first) == refused  # an attempt before does not hide that it is not paid
    # Somebody else's request is open: no attempt of ours was made before.
    other = refunding(vendor, connection_id, 1)
    vendor.control("set", open_refunds=[other.order_id])
    assert executor.send(other) == refused


def test_renewals_that_a_refund_stopped_here_are_stopped_there(vendor: FakeNoventiq) -> None:
    active = switching(vendor, EventType.CANCEL_REQUESTED, AR | {"status": "active"})
    done = switching(vendor, EventType.CANCEL_REQUESTED, AR | {"status": "cancelled"})
    stopped = [sent.data["subscription_id"] for sent in (active, done)] + ["unknown", "999_9"]
    sent = outgoing(vendor, EventType.REFUND_COMPLETED, active.order_id, subscriptions_stopped=stopped)
    assert executor.send(sent) == NothingToDo()
    assert status_of(vendor, active) == "cancelled" and len(vendor.calls("modify_activity")) == 1
    vendor.control("fault", path="/v1/subscription", status=500)
    assert isinstance(executor.send(sent), TryLater)


def test_other_events_mean_nothing(vendor: FakeNoventiq) -> None:
    acts = {
        EventType.CANCEL_REQUESTED,
        EventType.RESUME_REQUESTED,
        EventType.REFUND_APPROVED,
        EventType.REFUND_COMPLETED,
    }
    for event in set(EventType) - acts:
        assert executor.send(outgoing(vendor, event, 1)) == NothingToDo()
    assert executor.send(outgoing(vendor, EventType.REFUND_COMPLETED, 1)) == NothingToDo()
    assert vendor.calls() == []


def test_the_registry_has_it_with_its_limits(vendor: FakeNoventiq) -> None:
    registered = find_executor("noventiq")
    assert registered is not None and registered.title == "Noventiq"
    sent = switching(vendor, EventType.CANCEL_REQUESTED, AR | {"status": "active"})
    rehearsed = registered.send(replace(sent, options={**sent.options, "dry_run": True}))
    assert rehearsed == NotSent("Dry run: nothing was sent to Noventiq.") and vendor.calls() == []


def test_why_a_refund_cannot_be_asked_for() -> None:
    payment = Payment(1, 1, None, None, "EUR", Decimal("10.00"))
    assert executor.can_refund(payment, {"username": "merchant"}) is None
    assert executor.can_refund(payment, {}) == NO_CREDENTIALS
    nothing = replace(payment, total=Decimal(0))
    assert executor.can_refund(nothing, {"username": "merchant"}) is not None
