"""What is read from the requests of help desks: signatures and e-mails, hostile ones included."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connections.messages import WrongMessage
from services.helpdesk.requests import MOST_EMAILS, is_signed, read_emails
from tests.services.helpdesk.support import body_of, lower, signed

BODY = body_of(email="ines@example.com")


@pytest.mark.parametrize(
    "header", ["X-FREESCOUT-SIGNATURE", "X-HELPSCOUT-SIGNATURE", "X-HelpScout-Signature"]
)
def test_either_header_counts(header: str) -> None:
    headers = lower(signed(BODY, header=header))
    assert is_signed(["s3cret"], headers, BODY)
    assert is_signed(["newer", "s3cret"], headers, BODY), "two secrets are valid during a rotation"
    assert not is_signed(["newer"], headers, BODY)
    assert not is_signed([], headers, BODY)
    assert not is_signed(["s3cret"], headers, BODY + b" ")


def test_the_signature_is_the_one_that_openssl_computes() -> None:
    # printf '{"customer":{"email":"ines@example.com"}}' | openssl dgst -sha1 -hmac s3cret -binary | base64
    body = b'{"customer":{"email":"ines@example.com"}}'
    assert is_signed(["s3cret"], {"x-freescout-signature": "TJGZTkg65sTFZTiIe/7vQTJEatI="}, body)


def test_every_changed_bit_is_refused() -> None:
    digest = hmac.new(b"s3cret", BODY, hashlib.sha1).digest()
    for bit in range(len(digest) * 8):
        changed = bytearray(digest)
        changed[bit // 8] ^= 1 << bit % 8
        header = base64.b64encode(bytes(changed)).decode()
        assert not is_signed(["s3cret"], {"x-helpscout-signature": header}, BODY)


@pytest.mark.parametrize("value", ["", " ", "=", "é", "\udcff", "x" * 10_000, "sha1=abc"])
def test_a_signature_that_is_none_is_refused(value: str) -> None:
    assert not is_signed(["s3cret"], {"x-freescout-signature": value}, BODY)
    assert not is_signed([""], {"x-freescout-signature": value}, BODY)


@pytest.mark.parametrize(
    ("customer", "keys"),
    [
        ({"email": "INES@Example.com"}, ["ines@example.com"]),
        ({"email": None, "emails": ["ines@example.com", " Ines@EXAMPLE.com ", "other@x.example"]},
         ["ines@example.com", "other@x.example"]),
        ({"email": "one@x.example", "emails": ["two@x.example"]}, ["one@x.example", "two@x.example"]),
        ({"email": "ines@münchen.example"}, ["ines@münchen.example"]),
        ({"email": "ines@xn--mnchen-3ya.example"}, ["ines@münchen.example"]),
        ({"email": ""}, []),
        ({"email": False, "emails": []}, []),
        ({}, []),
        ({"email": "a\0b@x.example"}, []),
        ({"email": "a\ud800b@x.example"}, []),
        ({"email": "x" * 321}, []),
    ],
)  # fmt: skip
def test_e_mails_are_compared_as_searches_compare_them(customer: dict[str, Any], keys: list[str]) -> None:
    assert list(read_emails(body_of(**customer)).keys) == keys


@pytest.mark.parametrize(
    "body", ["{}", '{"customer": null}', '{"customer": []}', '{"customer": false, "ticket": false}']
)
def test_a_conversation_without_a_customer_asks_for_nobody(body: str) -> None:
    assert read_emails(body.encode()) == ((), 0)


def test_only_so_many_e_mails_are_looked_up() -> None:
    asked = read_emails(body_of(emails=[f"{number}@x.example" for number in range(MOST_EMAILS + 3)]))
    assert (len(asked.keys), asked.left_out) == (MOST_EMAILS, 3)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"\xff", None),
        (b"[" * 30_000, None),
        (b"[]", None),
        (b'{"customer": "ines@example.com"}', "customer"),
        (b'{"customer": {"email": {"value": 1}}}', "customer.email"),
        (b'{"customer": {"email": 7}}', "customer.email"),
        (b'{"customer": {"emails": [null]}}', "customer.emails"),
        (b'{"customer": {"emails": {"0": "ines@example.com"}}}', "customer.emails"),
    ],
)
def test_what_is_no_such_request_is_refused_by_field(body: bytes, field: str | None) -> None:
    with pytest.raises(WrongMessage) as refusal:
        read_emails(body)
    assert refusal.value.field == field


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["customer", "email", "emails", "x"]), inner)
    ),
    max_leaves=10,
)


@given(json_values)
def test_no_json_is_an_error_of_the_program(value: object) -> None:
    try:
        asked = read_emails(json.dumps(value).encode())
    except WrongMessage:
        return
    # What the database could not take.
    assert all("\0" not in key and key.encode() for key in asked.keys)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error_of_the_program(body: bytes) -> None:
    try:
        read_emails(body)
    except WrongMessage as error:
        assert error.reason
