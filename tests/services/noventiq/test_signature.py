"""The vendor's signature: its published example, and what hostile messages do to it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.noventiq.signature import is_signed, sign
from tests.support.noventiq import message, order, signature_of

# Published by the vendor for the secret key "secret_key".
PUBLISHED = (
    "1d0e480e14922b2e330216b2d34b3b9998267067143cf9ef7caaf3637de0307f"
    "207b7c6b1cd94ece313366baa24014c488796eef3dabbe8e60e7d1e72c73918d"
)
EXAMPLE: dict[str, Any] = {
    "event": "order.created",
    "order_id": 5555555,
    "create_date": "2021-08-13T09:16:35+03:00",
    "payment": {"payment_method": "CreditCard"},
    "currency": "EUR",
    "customer": {"email": "customer@gmail.com"},
}
# Any: what JSON can hold.
Json = Any
_CHARACTERS = "0af;é\0\ud800"
_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(_CHARACTERS, max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(_CHARACTERS, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def body_of(**changes: Json) -> bytes:
    return json.dumps(EXAMPLE | changes).encode()


def test_the_published_example_passes() -> None:
    assert is_signed(["secret_key"], PUBLISHED, body_of())
    assert is_signed(["secret_key"], f" {PUBLISHED.upper()} ", body_of())
    assert sign("secret_key", {**EXAMPLE, "order_id": "5555555"}) == PUBLISHED


@pytest.mark.parametrize("bit", range(0, 512, 37))
def test_one_bit_changed_fails(bit: int) -> None:
    changed = f"{int(PUBLISHED, 16) ^ (1 << bit):0128x}"
    assert changed != PUBLISHED and not is_signed(["secret_key"], changed, body_of())


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "order.payment.succeeded"},
        {"order_id": 5555556},
        {"create_date": "2021-08-13T09:16:36+03:00"},
        {"payment": {"payment_method": "Paypal"}},
        {"currency": "USD"},
        {"customer": {"email": "Customer@gmail.com"}},
        {"customer": {}},
        {"customer": None},
    ],
)
def test_each_of_the_six_fields_is_signed(changes: Json) -> None:
    assert not is_signed(["secret_key"], PUBLISHED, body_of(**changes))


def test_what_is_not_signed_may_change() -> None:
    """The vendor's format: status, amounts and time are in no signature."""
    assert is_signed(["secret_key"], PUBLISHED, body_of(status="deleted", product={"amount": "0.01"}))


def test_fields_count_as_they_were_received() -> None:
    """Escapes are read, numbers keep their digits, what is null or absent is empty."""
    odd = message(order(1), "order.created", create_date="2021-08-13T09:16:35+03:00")
    odd["customer"]["email"] = "søren@bücher.example"
    signature = signature_of(odd)
    assert is_signed(["secret_key"], signature, json.dumps(odd, ensure_ascii=True).encode())
    assert is_signed(["secret_key"], signature, json.dumps(odd, ensure_ascii=False).encode())
    large = body_of().replace(b"5555555", b"12345678901234567890")
    assert is_signed(["k"], sign("k", {**EXAMPLE, "order_id": "12345678901234567890"}), large)
    nothing = sign("k", {**EXAMPLE, "order_id": "5555555", "payment": {}})
    assert is_signed(["k"], nothing, body_of(payment={"payment_method": None}))
    assert is_signed(["k"], nothing, body_of(payment={"payment_method": ""}))


def test_two_secrets_are_valid_during_a_rotation() -> None:
    assert is_signed(["new", "secret_key"], PUBLISHED, body_of())
    assert is_signed(["secret_key", "old"], PUBLISHED, body_of())
    assert not is_signed(["new", "newer"], PUBLISHED, body_of())
    assert not is_signed([], PUBLISHED, body_of())


def test_characters_cannot_move_between_fields() -> None:
    """`CreditCard;EUR` and an empty currency would make the same text as `CreditCard` and `EUR`."""
    moved = body_of(payment={"payment_method": "CreditCard;EUR;customer@gmail.com"}, currency="")
    assert not is_signed(["secret_key"], PUBLISHED, moved)
    split = body_of(currency="EUR", customer={"email": ""}, payment={"payment_method": "CreditCard;EUR"})
    for hostile in (moved, split):
        assert not is_signed(["secret_key"], sign("secret_key", json.loads(hostile)), hostile)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"NaN",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"order_id": ' + b"9" * 10_000 + b"}",
        b'{"order_id": 1e999}',
        json.dumps(EXAMPLE | {"event": "\0"}).encode(),
        json.dumps(EXAMPLE | {"event": "\ud800"}).encode(),
        json.dumps(EXAMPLE | {"event": ["order.created"]}).encode(),
        json.dumps(EXAMPLE | {"order_id": {"id": 1}}).encode(),
        json.dumps(EXAMPLE | {"order_id": True}).encode(),
        json.dumps(EXAMPLE | {"payment": "CreditCard"}).encode(),
        json.dumps(EXAMPLE | {"customer": [EXAMPLE]}).encode(),
    ],
)
@pytest.mark.parametrize("signature", [PUBLISHED, "", "é", "\ud800", "0" * 128])
def test_hostile_messages_are_refused_and_never_raise(body: bytes, signature: str) -> None:
    assert is_signed(["secret_key", "other"], signature, body) is False


@given(st.dictionaries(st.sampled_from(sorted(EXAMPLE)), _json), st.text(_CHARACTERS, max_size=130))
def test_any_json_gives_an_answer(changes: dict[str, Json], signature: str) -> None:
    assert is_signed(["secret_key"], signature, json.dumps(EXAMPLE | changes).encode()) is False


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer(body: bytes) -> None:
    assert is_signed(["secret_key"], PUBLISHED, body) is False
