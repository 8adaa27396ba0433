"""What is said before a refund is fulfilled: who pays it back, and why that will not work."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from db.connections.viewers import SignedIn
from services.executors.refundable import RefundOutlook, find_outlook, why_not_refundable
from tests.support import factories
from tests.support.factories import run

THROUGH_STRIPE = {"provider": "stripe", "reference": "pi_1"}


@pytest.fixture(scope="module")
def rita(database: str) -> SignedIn:
    return factories.account("rita", role="refund_operator", stores=["shop-a", "shop-b"])


@pytest.fixture
def stripe(rita: SignedIn) -> Iterator[None]:
    connect()
    yield
    run("DELETE FROM connection")
    run("DELETE FROM refund_reservation")


def connect(store: str = "shop-a", **options: Any) -> None:
    run(
        "INSERT INTO connection (checkout_page_id, kind, name, key, topics, confirms, options) "
        "SELECT id, 'stripe', 'Stripe', 'c_' || lpad(id::text, 22, '0'), '{refunds}', true, CAST(:options AS jsonb) "
        "FROM checkout_page WHERE name = :store "
        "ON CONFLICT (key) DO UPDATE SET options = excluded.options",
        store=store,
        options=json.dumps(options),
    )


def order(payment: dict[str, str] | None, **more: Any) -> int:
    made = factories.document(payment=payment or {}, **more)
    factories.take_in(made)
    return int(made["order_id"])


def outlook(account: SignedIn, order_id: int) -> RefundOutlook | None:
    with viewer_transaction(account) as connection:
        return find_outlook(connection, order_id)


def why_not(account: SignedIn, order_id: int, amount: str | None = None) -> str | None:
    with viewer_transaction(account) as connection:
        return why_not_refundable(connection, order_id, amount=None if amount is None else Decimal(amount))


def test_without_a_connection_nothing_is_said(rita: SignedIn) -> None:
    order_id = order(THROUGH_STRIPE)
    assert outlook(rita, order_id) is None and why_not(rita, order_id) is None


def test_a_payment_of_stripe_can_be_paid_back_by_it(rita: SignedIn, stripe: None) -> None:
    order_id = order(THROUGH_STRIPE)
    seen = outlook(rita, order_id)
    assert seen is not None and (seen.executor, seen.obstacle) == ("Stripe", None)
    assert seen.note == "Stripe is asked to pay this back. The request stays open until the answer is here."
    assert why_not(rita, order_id) is None


@pytest.mark.parametrize(
    ("payment", "reason"),
    [
        ({"provider": "stripe"}, "The order does not say which payment of Stripe it was paid with."),
        (
            {"provider": "stripe", "reference": "4711"},
            "The order's payment reference is none of Stripe's: those begin with pi_ or ch_.",
        ),
    ],
)
def test_a_payment_that_stripe_cannot_find(
    rita: SignedIn, stripe: None, payment: dict[str, str], reason: str
) -> None:
    assert why_not(rita, order(payment)) == reason


@pytest.mark.parametrize("payment", [None, {"provider": "paypal", "reference": "X1"}])
def test_what_was_paid_otherwise_is_paid_back_by_hand(
    rita: SignedIn, stripe: None, payment: dict[str, str] | None
) -> None:
    order_id = order(payment)
    seen = outlook(rita, order_id)
    assert seen is not None and seen.executor is None and why_not(rita, order_id) is None
    assert seen.note is not None and seen.note.startswith("The order was not paid with Stripe")


def test_caps_and_dry_run_are_said_before(rita: SignedIn, stripe: None) -> None:
    connect(day_cap="EUR 15", dry_run=True)
    order_id = order(THROUGH_STRIPE)
    seen = outlook(rita, order_id)
    assert seen is not None and seen.note is not None and seen.note.startswith("Dry run: nothing is sent")
    assert why_not(rita, order_id) is None
    assert why_not(rita, order_id, "15.01") == "EUR 15.01 is above the connection's cap for a day, EUR 15.00."
    run(
        "INSERT INTO refund_reservation (action_id, checkout_page_id, currency, amount) "
        "SELECT gen_random_uuid(), id, 'EUR', 6 FROM checkout_page WHERE name = 'shop-a'"
    )
    assert why_not(rita, order_id) == (
        "Today's cap of EUR 15.00 leaves EUR 9.00: EUR 10.00 can be paid back from 00:00 UTC."
    )
    assert why_not(rita, order_id, "9") is None


def test_nothing_left_to_give_back(rita: SignedIn, stripe: None) -> None:
    order_id = order(THROUGH_STRIPE, items=[factories.item(refunded=True)])
    assert why_not(rita, order_id) == "Everything that was paid has been given back."


def test_a_switched_off_connection_is_asked_for_nothing(rita: SignedIn, stripe: None) -> None:
    run("UPDATE connection SET switched_off_at = now(), switched_off_because = 'x'")
    assert outlook(rita, order(THROUGH_STRIPE)) is None


def test_orders_out_of_scope_are_not_there(rita: SignedIn, stripe: None) -> None:
    boris = factories.account("boris", role="refund_operator", stores=["shop-b"])
    assert outlook(boris, order(THROUGH_STRIPE)) is None
