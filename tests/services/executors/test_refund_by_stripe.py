"""A refund from *Fulfil* to the answer, with the worker's own dispatcher and inbox: one refund, and the truth told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret
from services.delivery.dispatching import deliver_due
from services.errors import Conflict
from services.executors.stripe_messages import ANSWERED_BEFORE, NOT_OURS, TAKEN_BACK
from tests.services.executors.sales import UPDATING, Sale, hear, set_options
from tests.services.refunds.support import fulfil, requested, state
from tests.support import factories
from tests.support import stripe_provider as fake
from tests.support.connected import abandon, awaited, connect
from tests.support.factories import history, run
from tests.support.rounds import WORKER_KILLS
from tests.support.stripe_control import ROOT, StripeProvider


@pytest.fixture
def stripe(people: dict[str, int], provider: StripeProvider) -> Iterator[int]:
    connection_id = connect("shop-a", kind="stripe", topics=["refunds"], confirms=True)
    set_options(connection_id, api_base=provider.base)
    with jobs_transaction() as connection:
        add_secret(connection, connection_id, Purpose.API, fake.KEY)
        add_secret(connection, connection_id, Purpose.IN, fake.WEBHOOK_SECRET)
    yield connection_id
    run("DELETE FROM connection")
    run("DELETE FROM refund_reservation")
    provider.set(troubles=[], next_status="succeeded")


@pytest.fixture
def sale(people: dict[str, int], stripe: int, provider: StripeProvider) -> Sale:
    return Sale(people, provider)


def test_nothing_is_claimed_before_stripe_has_paid_back(sale: Sale) -> None:
    assert "Stripe has to confirm it" in sale.fulfil()
    assert (sale.action, sale.mails, state(sale.order_id)) == ("recorded", [], UPDATING)
    assert sale.refunds == []
    deliver_due()
    assert sale.was_paid_back()
    [refund] = sale.refunds
    action = awaited(sale.order_id)
    assert (action.external_id, action.amount) == (refund["id"], 10)
    assert refund["metadata"] == {
        "action_id": str(action.id),
        "order": sale.order_name,
        "request": str(sale.request_id),
    }


def test_a_pending_refund_that_fails_is_told_as_failed(
    sale: Sale, stripe: int, provider: StripeProvider
) -> None:
    provider.set(next_status="pending")
    sale.fulfil()
    deliver_due()
    assert (sale.action, sale.mails, state(sale.order_id)) == ("sent", [], UPDATING)
    [refund] = sale.refunds
    assert hear(stripe, provider.change(refund["id"], "pending")) == 202
    assert sale.action == "sent"
    failed = provider.change(refund["id"], "failed", kind="refund.failed", failure_reason="declined")
    assert hear(stripe, failed) == 202
    assert sale.was_not_paid_back("Stripe could not pay back: the customer's bank declined it.")
    assert hear(stripe, failed) == 200
    assert hear(stripe, provider.change(refund["id"], "failed", failure_reason="declined")) == 202
    assert sale.was_not_paid_back("declined")


def test_a_pending_refund_that_succeeds_is_told_as_done(
    sale: Sale, stripe: int, provider: StripeProvider
) -> None:
    provider.set(next_status="requires_action")
    sale.fulfil()
    deliver_due()
    assert sale.action == "sent"
    [refund] = sale.refunds
    # An account may be set to the older name, and the refund's metadata may have been edited in the dashboard.
    done = provider.change(refund["id"], "succeeded", kind="charge.refund.updated", metadata={})
    assert hear(stripe, done) == 202
    assert sale.was_paid_back()
    assert hear(stripe, provider.change(refund["id"], "succeeded")) == 202
    assert sale.was_paid_back()


def test_a_refund_that_stripe_refuses_is_told_as_failed(sale: Sale, provider: StripeProvider) -> None:
    provider.set(next_status="failed")
    sale.fulfil()
    deliver_due()
    assert sale.was_not_paid_back("Stripe could not pay back")
    # A new request is a new refund.
    provider.set(next_status="succeeded")
    again = requested(sale.people, sale.order_id, taken_by="rita")
    fulfil(sale.people, again)
    deliver_due()
    assert [refund["status"] for refund in sale.refunds] == ["failed", "succeeded"]
    assert sale.mails == ["refund failed", "full refund completed"]


@pytest.mark.parametrize(
    "troubles",
    [
        [fake.BREAKS, fake.BREAKS_AFTER],
        [fake.ERROR_AFTER],
        [fake.TOO_MANY, fake.TOO_MANY, fake.BREAKS_AFTER],
    ],
)
def test_whatever_happens_on_the_way_one_refund_is_made(
    sale: Sale, provider: StripeProvider, troubles: list[str]
) -> None:
    sale.fulfil()
    provider.meet(*troubles)
    for _ in range(len(troubles) + 1):
        sale.send_again()
    assert sale.was_paid_back()


def test_pressing_twice_makes_one_refund(sale: Sale) -> None:
    sale.fulfil()
    with pytest.raises(Conflict):
        sale.fulfil()
    deliver_due()
    with pytest.raises(Conflict):
        sale.fulfil()
    deliver_due()
    assert sale.was_paid_back()


def test_a_refund_that_was_given_up_can_be_pressed_again(sale: Sale, provider: StripeProvider) -> None:
    sale.fulfil()
    provider.set(next_status="succeeded", forbidden=["POST refunds"])
    sale.send_again()
    run("UPDATE delivery SET attempts = 10 WHERE order_id = :id AND state = 'waiting'", id=sale.order_id)
    sale.send_again()
    provider.set(forbidden=[])
    assert (sale.action, sale.mails, state(sale.order_id)) == ("not delivered", [], UPDATING)
    assert any("lacks the permission to write refunds" in line for line in history(sale.order_id))
    sale.fulfil()
    sale.send_again()
    assert sale.was_paid_back()


def test_a_second_press_is_not_sent_while_nobody_can_say_what_became_of_the_first(
    sale: Sale, provider: StripeProvider
) -> None:
    provider.set(next_status="succeeded", forbidden=["GET refunds"])
    provider.meet(fake.BREAKS_AFTER)
    deliver_due()  # what happened to the request before
    sale.fulfil()
    run("UPDATE delivery SET attempts = 10 WHERE order_id = :id AND state = 'waiting'", id=sale.order_id)
    deliver_due()
    assert sale.action == "not delivered" and len(sale.refunds) == 1
    provider.forget_keys()
    sale.fulfil()
    sale.send_again()
    assert (sale.action, len(sale.refunds)) == ("recorded", 1)
    provider.set(forbidden=[])
    sale.send_again()
    assert sale.was_paid_back()


def test_the_answer_goes_to_the_press_that_waits(sale: Sale, stripe: int, provider: StripeProvider) -> None:
    provider.set(next_status="pending")
    sale.fulfil()
    deliver_due()
    first = awaited(sale.order_id).id
    assert abandon(first)
    sale.fulfil()
    sale.send_again()
    assert sale.action == "sent" and awaited(sale.order_id).id != first
    [refund] = sale.refunds  # of the first press
    hear(stripe, provider.change(refund["id"], "succeeded"))
    assert sale.was_paid_back()
    assert run("SELECT state FROM awaited_action WHERE id = :id", id=first)[0].state == "not delivered"


def test_a_dry_run_leaves_everything_as_it_is(sale: Sale, stripe: int, provider: StripeProvider) -> None:
    set_options(stripe, api_base=provider.base, dry_run=True)
    sale.fulfil()
    deliver_due()
    assert sale.refunds == []
    assert (sale.action, sale.mails, state(sale.order_id)) == ("not delivered", [], UPDATING)
    assert any(
        f"would have been asked to pay back EUR 10.00 of the payment {sale.reference}" in line
        for line in history(sale.order_id)
    )
    set_options(stripe, api_base=provider.base)
    sale.fulfil()
    sale.send_again()
    assert sale.was_paid_back()


def test_a_day_has_its_cap(sale: Sale, people: dict[str, int], stripe: int, provider: StripeProvider) -> None:
    set_options(stripe, api_base=provider.base, day_cap="EUR 15")
    other = Sale(people, provider)
    sale.fulfil()
    other.fulfil()
    deliver_due()
    assert sale.was_paid_back()
    assert (other.action, other.refunds, other.mails) == ("recorded", [], [])
    [[waits]] = run(
        "SELECT next_attempt_at BETWEEN now() AND date_trunc('day', now(), 'UTC') + interval '1 day 1 minute' "
        "FROM delivery WHERE order_id = :id AND state = 'waiting'",
        id=other.order_id,
    )
    assert waits
    run("UPDATE refund_reservation SET reserved_at = reserved_at - interval '1 day'")
    other.send_again()
    assert other.was_paid_back()


def test_money_that_comes_back_is_not_kept_secret(sale: Sale, stripe: int, provider: StripeProvider) -> None:
    sale.fulfil()
    deliver_due()
    [refund] = sale.refunds
    values = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    for kind in ("refund.failed", "refund.updated", "charge.refund.updated"):
        hear(stripe, provider.change(refund["id"], kind=kind, **values))
    [[first], [second], [third]] = run("SELECT state || ': ' || reason FROM inbox ORDER BY id DESC LIMIT 3")
    assert third == f"applied: {TAKEN_BACK}"
    assert first == second == f"unchanged: {ANSWERED_BEFORE}"
    assert history(sale.order_id)[-1] == (
        "The refund of EUR 10.00 (item 1) was confirmed by Stripe and has failed since; the customer does not have the "
        "money. Stripe could not pay back: the card has expired or was cancelled."
    )
    assert sale.mails == ["full refund completed", "refund failed"]
    assert state(sale.order_id) == ("deleted", "completed")


def test_a_refund_made_in_the_dashboard_touches_nothing(
    sale: Sale, stripe: int, provider: StripeProvider
) -> None:
    sale.fulfil()
    deliver_due()
    [refund] = sale.refunds
    before = everything_but_the_inbox()
    hear(stripe, provider.change(refund["id"], "failed", id="re_of_the_dashboard", metadata={}))
    [[row]] = run("SELECT reason FROM inbox ORDER BY id DESC LIMIT 1")
    assert row == NOT_OURS
    assert everything_but_the_inbox() == before


def everything_but_the_inbox() -> dict[str, list[Any]]:
    return {
        name: rows for name, rows in factories.everything().items() if name not in ("inbox", "connection")
    }


@pytest.mark.slow
def test_workers_that_are_killed_make_one_refund(
    people: dict[str, int], stripe: int, provider: StripeProvider
) -> None:
    """Killed when the provider has made the refund and nothing of it is recorded."""
    sales = [Sale(people, provider) for _ in range(max(WORKER_KILLS // 10, 1))]
    for sale in sales:
        sale.fulfil()
        provider.meet(fake.HANGS_AFTER)
        worker = subprocess.Popen(
            [sys.executable, "-m", "services.mail", "--once"],
            cwd=ROOT,
            env=os.environ,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 20
            while not sale.refunds:
                assert worker.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        assert (sale.action, sale.mails) == ("recorded", [])
        deliver_due()
        assert sale.was_paid_back()
