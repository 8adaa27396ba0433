"""`POST /hooks/v1/<key>`: what a shop is answered, whatever it sends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from db.schema.connection_states import Purpose
from pages.web.hooks import HOOK_ROUTES
from services.connections import inbox as inbox_module
from services.connections.messages import MAX_BODY_BYTES
from services.connections.rates import RateLimit
from services.connections.secrets import OVERLAP, add_secret, new_secret
from services.delivery.incoming import apply_incoming
from tests.services.connections.support import Shop, body_of, connect, inbox
from tests.support.factories import document, item, run

Response = Any
BODY = body_of("order.upserted", document(order_id=5))


@pytest.fixture(scope="module")
def client(database: str) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(HOOK_ROUTES)), raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def shop(database: str) -> Shop:
    run("DELETE FROM connection")
    return connect()


def post(client: TestClient, shop: Shop, body: bytes = BODY, **changed: Any) -> Response:
    """The message with its signature; `changed` are headers (with _ for -), and `key`."""
    message_id = changed.pop("webhook_id", "msg_1")
    headers = shop.headers(body, message_id) | {}
    key = changed.pop("key", shop.key)
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return client.post(f"/hooks/v1/{key}", content=body, headers=headers)


def test_a_message_is_accepted_once_and_known_afterwards(client: TestClient, shop: Shop) -> None:
    first, second = post(client, shop), post(client, shop)
    assert (first.status_code, first.json()) == (202, {"status": "accepted"})
    assert (second.status_code, second.json()) == (200, {"status": "known"})
    assert inbox("event_id, type, order_id, state, body") == [("msg_1", "order.upserted", 5, "waiting", BODY)]
    assert run("SELECT last_received_at IS NOT NULL FROM connection") == [(True,)]


def test_the_vendors_published_signature_passes_and_one_bit_changed_fails(shop: Shop) -> None:
    """The test vector of Standard Webhooks 1.0.0, at its own time."""
    from standardwebhooks.webhooks import Webhook

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    assert (
        Webhook(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_one_bit_changed_anywhere_is_no_signature(client: TestClient, shop: Shop, name: str) -> None:
    headers = shop.headers(BODY, "msg_1")
    for index in range(0, len(headers[name]), 3):
        wrong = bytearray(headers[name].encode())
        wrong[index] ^= 1
        answer = client.post(
            f"/hooks/v1/{shop.key}", content=BODY, headers=headers | {name: wrong.decode("latin-1")}
        )
        assert answer.status_code == 401, wrong
    for index in range(0, len(BODY), 50):
        body = bytearray(BODY)
        body[index] ^= 1
        answer = client.post(f"/hooks/v1/{shop.key}", content=bytes(body), headers=headers)
        assert answer.status_code == 401
    assert inbox() == []


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_future_message_is_not_taken(client: TestClient, shop: Shop, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    answer = client.post(f"/hooks/v1/{shop.key}", content=BODY, headers=shop.headers(BODY, "msg_1", at=at))
    assert (answer.status_code, inbox()) == (401, [])


def test_both_secrets_of_a_rotation_pass_and_then_only_the_new_one(client: TestClient, shop: Shop) -> None:
    from db.connections.engine import jobs_transaction

    newer = new_secret()
    with jobs_transaction() as connection:
        add_secret(connection, shop.id, Purpose.IN, newer)
    new_shop = Shop(shop.id, shop.key, newer)
    assert post(client, shop).status_code == 202
    assert post(client, new_shop, webhook_id="msg_2").status_code == 202
    both = f"{new_shop.headers(BODY, 'msg_3')['webhook-signature']} {shop.headers(BODY, 'msg_3')['webhook-signature']}"
    assert post(client, shop, webhook_id="msg_3", webhook_signature=both).status_code == 202
    run("UPDATE connection_secret SET valid_until = valid_until - CAST(:past AS interval)", past=OVERLAP)
    assert post(client, shop, webhook_id="msg_4").status_code == 401
    assert post(client, new_shop, webhook_id="msg_4").status_code == 202


def test_an_address_that_nobody_has_and_one_switched_off_answer_alike(client: TestClient, shop: Shop) -> None:
    unknown = post(client, shop, key="c_0000000000000000000000")
    run("UPDATE connection SET switched_off_at = now(), switched_off_because = 'x'")
    off = post(client, shop)
    help_desk = connect(kind="help desk")
    other = post(client, help_desk)
    answers = {(a.status_code, a.content, tuple(sorted(a.headers.items()))) for a in (unknown, off, other)}
    assert len(answers) == 1
    assert unknown.status_code == 404
    assert post(client, shop, key="%00").status_code == 404
    assert post(client, shop, key="%ff%fe").status_code == 404
    assert inbox() == []


def test_what_is_too_large_or_no_json_is_not_read_any_further(client: TestClient, shop: Shop) -> None:
    padded = BODY + b" " * (MAX_BODY_BYTES - len(BODY))
    assert post(client, shop, padded).status_code == 202
    for key in (shop.key, "c_0000000000000000000000"):
        assert post(client, shop, padded + b" ", key=key).status_code == 413

        def pieces() -> Iterator[bytes]:
            yield padded
            yield b" "

        streamed = client.post(
            f"/hooks/v1/{key}", content=pieces(), headers={"content-type": "application/json"}
        )
        assert streamed.status_code == 413
        for kind in ("text/plain", "application/jsonx", ""):
            assert post(client, shop, key=key, content_type=kind).status_code == 415
    answer = post(client, shop, webhook_id="2", content_type="Application/JSON; charset=utf-8")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"[]", None),
        (b"null", None),
        (b'{"type": 1, "timestamp": "2026-01-01T00:00:00Z", "data": {}}', "type"),
        (b'{"type": "a\\u0000b", "timestamp": "2026-01-01T00:00:00Z", "data": {}}', "type"),
        (b'{"type": "\\ud800", "timestamp": "2026-01-01T00:00:00Z", "data": {}}', "type"),
        (b'{"type": "x", "timestamp": "yesterday", "data": {}}', "timestamp"),
        (b'{"type": "x", "timestamp": "0001-01-01T00:00:00+14:00", "data": {}}', "timestamp"),
        (b'{"type": "x", "timestamp": "2026-01-01T00:00:00", "data": {}}', "timestamp"),
        (b'{"type": "x", "timestamp": "2026-01-01T00:00:00Z", "data": []}', "data"),
        (body_of("order.upserted", {}), "data.order_id"),
        (body_of("order.upserted", document(checkout_page="shop-b")), "data.checkout_page"),
        (body_of("order.upserted", document(items=[])), "data.items"),
        (body_of("order.upserted", document(items=[item(quantity=0)])), "data.items[0].quantity"),
        (body_of("order.upserted", document(order_name="a\0b")), "data.order_name"),
        (body_of("order.upserted", document(order_name="\ud800")), "data.order_name"),
        (body_of("order.upserted", document(order_id=2**63)), "data.order_id"),
        (body_of("order.upserted", document(total=float("nan"))), "data"),
        (body_of("order.item", document(items=[item(), item()])), "data.items"),
        (body_of("customer.erased", {"email": "\x7f"}), "data.email"),
        (body_of("action.succeeded", {"action_id": "no-uuid"}), "data.action_id"),
        (body_of("action.failed", {"action_id": "0" * 32}), "data.message"),
        (body_of("action.succeeded", {"action_id": "0" * 32, "amount": "NaN"}), "data.amount"),
    ],
)
def test_a_message_that_cannot_be_used_is_refused_with_its_field_and_kept(
    client: TestClient, shop: Shop, body: bytes, field: str | None
) -> None:
    answer = post(client, shop, body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    [(state, stored_field, reason)] = inbox("state, field, reason")
    assert (state, stored_field) == ("refused", field)
    assert reason
    assert reason.rstrip("…") in answer.json()["message"]


def test_a_type_that_means_nothing_is_accepted_ignored_and_shown(client: TestClient, shop: Shop) -> None:
    assert post(client, shop, body_of("invoice.printed", {"a": 1})).status_code == 202
    assert inbox("type, state") == [("invoice.printed", "ignored")]
    assert apply_incoming() == 0


def test_a_connection_sends_only_so_many_messages(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "_rates", RateLimit())
    run("UPDATE connection SET rate_per_minute = 12")
    answers = [post(client, shop, webhook_id=f"msg_{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 5
    assert len(inbox()) == 2


DEEP = b'{"type": "order.upserted", "timestamp": "2026-01-01T00:00:00Z", "data": '
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_messages = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["order.upserted", "order.item", "customer.erased", "action.succeeded", "action.failed"]
        )
        | _values,
        "timestamp": st.just("2026-01-01T00:00:00Z") | _values,
        "data": _values
        | st.builds(
            lambda key, value: document() | {key: value},
            st.sampled_from([*document(), "total", "updated_at", "history", "documents", "payment"]),
            _values,
        ),
    },
).map(lambda message: json.dumps(message).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | _messages)
@example(body=DEEP + b"[" * 100_000)
@example(body=DEEP + b'{"a":' * 900 + b"1" + b"}" * 901)
@example(body=DEEP + b'{"a":' * 20_000 + b"1" + b"}" * 20_001)
@example(body=DEEP + b'{"order_id": ' + b"9" * 100_000 + b"}}")
@example(body=DEEP + b'{"total": 1e999999, "order_id": -1e400}}')
@example(body=DEEP + b'{"a": "' + b"\\u0000" * 10_000 + b'"}}')
@example(body=b"\xff" * 1000)
@example(body=b'{"type": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {"\\ud800": "\\udfff"}}')
def test_no_bytes_at_all_make_an_error_of_ours(client: TestClient, shop: Shop, body: bytes) -> None:
    answer = client.post(
        f"/hooks/v1/{shop.key}",
        content=body,
        headers=shop_headers(shop, body, f"msg_{hash(body)}"),
    )
    assert answer.status_code in (200, 202, 401, 422)
    assert answer.json()
    apply_incoming()
    assert run("SELECT count(*) FROM inbox WHERE state = 'waiting'") == [(0,)]


def shop_headers(shop: Shop, body: bytes, message_id: str) -> dict[str, str]:
    try:
        return shop.headers(body, message_id)
    except UnicodeDecodeError:  # nobody can sign such bytes with the library
        return {**shop.headers(b"", message_id)}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "content-length"]),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
    | st.sampled_from(
        [
            "nan",
            "inf",
            "-1",
            "1e400",
            "9" * 400,
            "v1,",
            "v1",
            ",",
            "v1,=",
            "v1,é v2",
            " ".join(["v1,x"] * 500),
        ]
    ),
)
def test_no_header_makes_an_error_of_ours(client: TestClient, shop: Shop, name: str, value: str) -> None:
    headers = [
        (key.encode(), value.encode("latin-1") if key == name else usual.encode())
        for key, usual in (shop.headers(BODY, "msg_1") | {name: ""}).items()
    ]
    answer = client.post(f"/hooks/v1/{shop.key}", content=BODY, headers=headers)
    assert answer.status_code in (200, 202, 401, 413, 422)


def test_more_than_one_header_of_a_name_is_no_way_around(client: TestClient, shop: Shop) -> None:
    headers = [*shop.headers(BODY, "msg_1").items(), ("webhook-id", "msg_2"), ("webhook-timestamp", "1")]
    assert client.post(f"/hooks/v1/{shop.key}", content=BODY, headers=headers).status_code in (202, 401)
    assert {row[0] for row in inbox()} <= {"msg_1"}
