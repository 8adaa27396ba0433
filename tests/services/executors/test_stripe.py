"""Refunds by Stripe, with the real library against a provider of its own process: one refund, and the truth of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from stripe._api_version import _ApiVersion

from services.events.event_types import EventType
from services.executors.interface import (
    Accepted,
    NothingToDo,
    NotSent,
    OutgoingEvent,
    Refused,
    Result,
    Succeeded,
    TryLater,
)
from services.executors.stripe import API_VERSION, StripeExecutor
from tests.services.executors.support import approved, keys_of, refunds_of
from tests.support import stripe_provider as fake
from tests.support.stripe_control import StripeProvider


@pytest.fixture(autouse=True)
def well_behaved(provider: StripeProvider) -> Iterator[None]:
    yield
    provider.set(troubles=[], next_status="succeeded", forbidden=[])


def send(outgoing: OutgoingEvent, *, seconds: float = 5.0) -> Result:
    return StripeExecutor(seconds).send(outgoing)


def test_a_refund_is_made_with_what_leads_back_to_it(provider: StripeProvider) -> None:
    outgoing = approved(provider, request_id=311)
    result = send(outgoing)
    [refund] = refunds_of(provider, outgoing)
    assert result == Succeeded(refund["id"], Decimal("49.00"))
    assert refund["amount"] == 4900
    assert refund["metadata"] == {
        "action_id": str(outgoing.action_id),
        "order": "A0000000311",
        "request": "311",
    }
    assert keys_of(provider, outgoing) == ["esupport-refund-311"]
    assert provider.requests[-1]["version"] == API_VERSION == _ApiVersion.CURRENT


def test_a_payment_may_be_named_by_its_charge(provider: StripeProvider) -> None:
    provider.add_payment("ch_77", 10000)
    outgoing = approved(provider, reference="ch_77")
    assert isinstance(send(outgoing), Succeeded)
    assert len(refunds_of(provider, outgoing)) == 1


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("succeeded", Succeeded),
        ("pending", Accepted),
        ("requires_action", Accepted),
        ("failed", Refused),
        ("canceled", Refused),
    ],
)
def test_what_a_status_means(provider: StripeProvider, status: str, result: type[Result]) -> None:
    provider.set(next_status=status)
    outgoing = approved(provider)
    answer = send(outgoing)
    [refund] = refunds_of(provider, outgoing)
    assert isinstance(answer, result)
    assert getattr(answer, "external_id", None) == refund["id"]


def test_a_failure_is_told_in_a_sentence(provider: StripeProvider) -> None:
    provider.set(next_status="failed")
    answer = send(approved(provider))
    assert isinstance(answer, Refused)
    assert answer.message == "Stripe could not pay back: the customer's bank declined it."


@pytest.mark.parametrize(
    "trouble",
    [fake.HANGS, fake.HANGS_AFTER, fake.BREAKS, fake.BREAKS_AFTER, fake.ERROR_AFTER, fake.TOO_MANY],
)
def test_whatever_becomes_of_an_answer_one_refund_is_made(provider: StripeProvider, trouble: str) -> None:
    outgoing = approved(provider)
    provider.meet(trouble)
    assert isinstance(send(outgoing, seconds=0.3), TryLater)
    result = send(outgoing)
    [refund] = refunds_of(provider, outgoing)
    assert result == Succeeded(refund["id"], Decimal("49.00"))
    assert set(keys_of(provider, outgoing)) == {f"esupport-refund-{outgoing.data['request_id']}"}


def test_an_error_that_stripe_remembers_is_got_over_when_it_has_forgotten(provider: StripeProvider) -> None:
    outgoing = approved(provider)
    provider.meet(fake.ERROR)
    assert send(outgoing) == TryLater("Stripe had an error of its own (500).", 500)
    assert send(outgoing) == TryLater("Stripe had an error of its own (500).", 500)
    assert refunds_of(provider, outgoing) == []
    provider.forget_keys()
    assert isinstance(send(outgoing), Succeeded)
    assert len(refunds_of(provider, outgoing)) == 1


def test_a_refund_is_found_again_when_its_key_is_forgotten(provider: StripeProvider) -> None:
    outgoing = approved(provider)
    provider.meet(fake.HANGS_AFTER)
    assert isinstance(send(outgoing, seconds=0.3), TryLater)
    provider.forget_keys()  # after a day, and our attempts go on for three
    assert isinstance(send(outgoing), Succeeded)
    assert len(refunds_of(provider, outgoing)) == 1


def test_too_many_requests_are_put_off_for_as_long_as_stripe_says(provider: StripeProvider) -> None:
    provider.meet(fake.TOO_MANY)
    assert send(approved(provider)) == TryLater("Stripe asks to send less.", 429, 7.0)


def test_two_workers_at_the_same_instant_make_one_refund(provider: StripeProvider) -> None:
    outgoing = approved(provider)
    provider.meet(fake.SLOW)
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(send, [outgoing, outgoing]))
    assert len(refunds_of(provider, outgoing)) == 1
    assert any(isinstance(result, Succeeded) for result in results)
    assert all(isinstance(result, Succeeded | TryLater) for result in results)
    assert isinstance(send(outgoing), Succeeded)


def test_a_request_pressed_again_takes_over_what_the_first_press_did(provider: StripeProvider) -> None:
    first = approved(provider)
    provider.meet(fake.HANGS_AFTER)
    assert isinstance(send(first, seconds=0.3), TryLater)
    again = replace(first, action_id=uuid4(), event_id=uuid4())
    [refund] = refunds_of(provider, first)
    assert send(again) == Succeeded(refund["id"], Decimal("49.00"))
    larger = replace(again, action_id=uuid4(), data={**again.data, "amount": "60.00"})
    assert send(larger) == Refused(
        f"Stripe has paid back EUR 49.00 for this request already ({refund['id']}), not EUR 60.00."
    )
    assert len(refunds_of(provider, first)) == 1


def test_a_request_pressed_again_after_nothing_was_done_is_done(provider: StripeProvider) -> None:
    """Its key was used up by the first press, with another action's ID."""
    first = approved(provider)
    provider.meet(fake.ERROR)
    assert isinstance(send(first), TryLater)
    again = replace(first, action_id=uuid4())
    assert isinstance(send(again), Succeeded)
    assert isinstance(send(again), Succeeded)
    assert len(refunds_of(provider, first)) == 1


def test_a_new_request_after_a_failed_refund_is_a_new_refund(provider: StripeProvider) -> None:
    provider.set(next_status="failed")
    first = approved(provider)
    assert isinstance(send(first), Refused)
    assert isinstance(send(first), Refused)
    provider.set(next_status="succeeded")
    reference = first.data["payment"]["reference"]
    second = approved(provider, reference=reference)
    assert isinstance(send(second), Succeeded)
    assert [one["status"] for one in refunds_of(provider, first)] == ["failed", "succeeded"]


def test_what_stripe_refuses_is_said_in_a_sentence(provider: StripeProvider) -> None:
    outgoing = approved(provider, amount="100.01")
    answer = send(outgoing)
    assert isinstance(answer, Refused)
    assert "greater than unrefunded amount" in answer.message
    assert isinstance(
        send(approved(provider, reference=outgoing.data["payment"]["reference"], amount="100")), Succeeded
    )
    again = send(approved(provider, reference=outgoing.data["payment"]["reference"], amount="1"))
    assert again == Refused("Stripe says that this payment has been paid back in full already.")
    unknown = send(approved(provider, reference="pi_unknown"))
    assert isinstance(unknown, Refused) and unknown.message.startswith("Stripe does not know this payment.")


def test_a_wrong_key_is_no_answer_about_the_refund(provider: StripeProvider) -> None:
    outgoing = approved(provider, secrets=("sk_test_wrong",))
    assert send(outgoing) == TryLater("Stripe does not accept the connection's key.", 401)
    assert send(replace(outgoing, secrets=())) == TryLater("The connection has no key.")
    assert isinstance(send(replace(outgoing, secrets=("sk_test_wrong", fake.KEY))), Succeeded)


def test_a_restricted_key_may_do_without_reading(database: str, provider: StripeProvider) -> None:
    provider.set(forbidden=["GET payment_intents", "GET refunds"])
    assert isinstance(send(approved(provider)), Succeeded)
    old = approved(provider, created_at=datetime.now(UTC) - timedelta(hours=24))
    assert isinstance(send(old), TryLater)
    assert refunds_of(provider, old) == []
    provider.set(forbidden=["POST refunds"])
    assert send(approved(provider)) == TryLater(
        "The connection's key lacks the permission to write refunds in Stripe.", 403
    )


def test_a_payment_in_another_currency_is_not_touched(provider: StripeProvider) -> None:
    provider.add_payment("pi_dollars", 10000, "usd")
    outgoing = approved(provider, reference="pi_dollars")
    assert send(outgoing) == Refused("The payment was made in USD, the order is in EUR.")
    assert refunds_of(provider, outgoing) == []


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("5000", "JPY", 5000),
        ("5000.00", "MGA", 5000),
        ("50", "ISK", 5000),
        ("50", "UGX", 5000),
        ("5.120", "KWD", 5120),
        ("49.5", "HUF", 4950),
    ],
)
def test_amounts_go_out_in_the_units_of_their_currency(
    provider: StripeProvider, amount: str, currency: str, units: int
) -> None:
    outgoing = approved(provider, amount=amount, currency=currency)
    answer = send(outgoing)
    assert isinstance(answer, Succeeded) and answer.amount == Decimal(amount)
    assert [one["amount"] for one in refunds_of(provider, outgoing)] == [units]


@pytest.mark.parametrize(
    ("amount", "currency"), [("49.005", "EUR"), ("5.124", "KWD"), ("5.5", "ISK"), ("1.5", "JPY")]
)
def test_no_amount_is_rounded(provider: StripeProvider, amount: str, currency: str) -> None:
    outgoing = approved(provider, amount=amount, currency=currency)
    assert send(outgoing) == Refused(f"Stripe cannot pay back exactly {currency} {amount}.")
    assert refunds_of(provider, outgoing) == []


def test_free_items_need_no_refund(provider: StripeProvider) -> None:
    outgoing = approved(provider, amount="0.00")
    assert send(outgoing) == Succeeded(None, Decimal("0.00"))
    assert refunds_of(provider, outgoing) == []


def test_the_key_goes_to_no_other_host(provider: StripeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    outgoing = approved(provider)
    before = len(provider.requests)
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "localhost, shop.example.com")
    assert isinstance(send(outgoing), NotSent)
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "")
    assert isinstance(send(outgoing), NotSent)
    assert len(provider.requests) == before


def test_no_redirect_is_followed_with_the_key(provider: StripeProvider) -> None:
    outgoing = approved(provider)
    provider.meet(fake.REDIRECTS)
    assert isinstance(send(outgoing), TryLater)
    assert not any(request["path"] == "/v1/elsewhere" for request in provider.requests)
    assert isinstance(send(outgoing), Succeeded)


def test_other_events_mean_nothing_to_stripe(provider: StripeProvider) -> None:
    before = len(provider.requests)
    for event in EventType:
        if event is not EventType.REFUND_APPROVED:
            assert send(approved(provider, event=event)) == NothingToDo()
    assert len(provider.requests) == before
