"""Messages of Stripe: who is believed, what is stored, and what is ignored with its reason."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from stripe import WebhookSignature

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.inbox import receive
from services.connections.secrets import add_secret
from services.delivery.incoming import INCOMING, apply_incoming
from services.executors.stripe_messages import NOT_OURS, UNKNOWN_ACTION, StripeReceiver
from tests.services.connections.support import Shop, connect, inbox
from tests.support.factories import run
from tests.support.stripe_provider import WEBHOOK_SECRET, sign

pytestmark = pytest.mark.usefixtures("nothing_yet")


@pytest.fixture
def nothing_yet(database: str) -> None:
    run("DELETE FROM connection")


@pytest.fixture
def stripe(nothing_yet: None) -> Shop:
    return connect(kind="stripe", secret=WEBHOOK_SECRET)


def event(kind: str = "refund.updated", *, event_id: str = "evt_1", **refund: Any) -> str:
    about = {
        "id": "re_1",
        "object": "refund",
        "amount": 4900,
        "currency": "eur",
        "status": "succeeded",
        "metadata": {},
    } | refund
    return json.dumps(
        {"id": event_id, "object": "event", "type": kind, "created": 1764000000, "data": {"object": about}}
    )


def send(shop: Shop, body: str, signature: str | None = None) -> int:
    headers = {"stripe-signature": sign(body) if signature is None else signature}
    return receive(INCOMING, shop.key, headers, body.encode()).status


def test_a_message_is_stored_under_its_event(stripe: Shop) -> None:
    assert send(stripe, event()) == 202
    assert send(stripe, event()) == 200
    assert inbox("event_id, type, state, order_id") == [("evt_1", "refund.updated", "waiting", None)]


def test_our_signature_is_the_librarys() -> None:
    body, at = event(), int(time.time())
    assert sign(body, at=at).split(",v0")[0] == WebhookSignature.generate_signature_header(
        body, WEBHOOK_SECRET, at
    )


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=1",
        "t=x,v1=00",
        "v1=00",
        "t=1764000000,v1=",
        f"t={'9' * 5000},v1=00",
        "t=1764000000,v1=é",
        sign(event(), secret="whsec_another"),
        sign(event(), at=int(time.time()) - 301),
        sign(event(event_id="evt_2")),
        sign(event()).replace("v1=", "v0="),
    ],
    ids=range(11),  # by number: the signatures are others in each process
)
def test_another_signature_is_not_believed(stripe: Shop, signature: str) -> None:
    assert send(stripe, event(), signature) == 401
    assert inbox() == []


def test_one_changed_bit_is_not_believed(stripe: Shop) -> None:
    body = event().encode()
    changed = bytes([body[40] ^ 1]).join([body[:40], body[41:]])
    for sent in (changed, b"\xff" + body):
        headers = {"stripe-signature": sign(body.decode())}
        assert receive(INCOMING, stripe.key, headers, sent).status == 401


def test_two_secrets_are_valid_while_one_is_replaced(stripe: Shop) -> None:
    with jobs_transaction() as connection:
        add_secret(connection, stripe.id, Purpose.IN, "whsec_newer")
    assert send(stripe, event(), sign(event(), secret="whsec_newer")) == 202
    assert send(stripe, event(event_id="evt_2")) == 202
    run("UPDATE connection_secret SET valid_until = now() WHERE valid_until IS NOT NULL")
    assert send(stripe, event(event_id="evt_3")) == 401


def test_without_a_secret_nobody_is_believed() -> None:
    body = event()
    for secret in ("", "whsec_" + "0" * 32):
        headers = {"stripe-signature": sign(body, secret=secret)}
        assert not StripeReceiver().verify((), headers, body.encode())


def test_other_events_are_ignored_and_shown(stripe: Shop) -> None:
    assert send(stripe, event("charge.refunded")) == 202
    assert send(stripe, event("invoice.paid", event_id="evt_2")) == 202
    assert inbox("state, reason") == [
        ("ignored", "Events of the type charge.refunded mean nothing here."),
        ("ignored", "Events of the type invoice.paid mean nothing here."),
    ]


def test_a_refund_made_in_the_dashboard_is_ignored_with_its_reason(stripe: Shop) -> None:
    send(stripe, event())
    send(stripe, event(event_id="evt_2", metadata={"action_id": str(uuid4())}))
    send(stripe, event(event_id="evt_3", metadata={"action_id": "7"}))
    assert apply_incoming() == 3
    assert inbox("state, reason") == [
        ("ignored", NOT_OURS),
        ("ignored", UNKNOWN_ACTION),
        ("ignored", NOT_OURS),
    ]


@pytest.mark.parametrize(
    ("refund", "field"),
    [
        ({"object": "charge"}, "data.object"),
        ({"id": None}, "data.object.id"),
        ({"id": "r" * 300}, "data.object.id"),
        ({"amount": "4900"}, "data.object.amount"),
        ({"amount": True}, "data.object.amount"),
        ({"amount": 10**40}, "data.object.amount"),
        ({"currency": "euro"}, "data.object.currency"),
    ],
)
def test_a_refund_that_cannot_be_read_is_kept_as_refused(
    stripe: Shop, refund: dict[str, Any], field: str
) -> None:
    assert send(stripe, event(**refund)) == 422
    assert inbox("state, field") == [("refused", field)]


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"id": 1}', '{"id": "evt_1"}', '{"id": "evt_1", "type": ""}', "[" * 20000]
)
def test_what_is_no_event_has_no_place_in_the_inbox(stripe: Shop, body: str) -> None:
    assert send(stripe, body) == 422
    assert inbox() == []


def test_nothing_odd_in_an_event_breaks_anything(stripe: Shop) -> None:
    odd: list[dict[str, Any]] = [
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"action_id": 5}},
        {"status": None},
        {"currency": "zzz"},
    ]
    for number, refund in enumerate(odd):
        assert send(stripe, event(event_id=f"evt_{number}", **refund)) == 202
    assert apply_incoming() == 5
    assert {state for (state,) in inbox("state")} == {"ignored"}


def test_a_shop_is_not_believed_for_stripe(stripe: Shop) -> None:
    body = event().encode()
    assert receive(INCOMING, stripe.key, stripe.headers(body, "msg_1"), body).status == 401
