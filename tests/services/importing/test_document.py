"""Order documents: what is read, what is refused and with which field, and that nothing else ever comes out."""

import copy
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importing.document import ImportLineError, iter_lines, parse_order
from tests.support.factories import document, item


def parse(order: Any, number: int = 7) -> Any:
    return parse_order(json.dumps(order), number)


def refused(order: Any) -> ImportLineError:
    with pytest.raises(ImportLineError) as raised:
        parse(order)
    assert raised.value.line == 7
    assert str(raised.value).startswith("Line 7") and raised.value.reason.endswith(".")
    return raised.value


def test_the_least_document_is_read() -> None:
    order = parse(document(order_id=5)).order
    assert (order.order_id, order.total, order.pay_date.isoformat()) == (
        5,
        Decimal("10.00"),
        "2026-03-01T10:05:00+00:00",
    )
    assert order.items[0].item_id == "1"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"order_id": 0}, "order_id"),
    ({"order_id": 2**63}, "order_id"),
    ({"order_id": "5"}, "order_id"),
    ({"order_id": True}, "order_id"),
    ({"order_name": "x" * 65}, "order_name"),
    ({"order_name": "  "}, "order_name"),
    ({"checkout_page": None}, "checkout_page"),
    ({"status": "Paid"}, "status"),
    ({"create_date": "2026-03-01T10:00:00"}, "create_date"),
    ({"create_date": "yesterday"}, "create_date"),
    ({"create_date": "2026-02-30T10:00:00Z"}, "create_date"),
    ({"create_date": "1066-01-01T00:00:00Z"}, "create_date"),
    ({"pay_date": None}, "pay_date"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": "eur"}, "currency"),
    ({"total": "-1"}, "total"),
    ({"total": "1,5"}, "total"),
    ({"total": 1.5}, "total"),
    ({"total": "NaN"}, "total"),
    ({"order_detail_url": "javascript:alert(1)"}, "order_detail_url"),
    ({"customer": None}, "customer"),
    ({"customer": {"email": 5}}, "customer.email"),
    ({"customer": {"first_name": "a\0b"}}, "customer.first_name"),
    ({"customer": {"first_name": "\ud800"}}, "customer.first_name"),
    ({"payment": {"card_last_4": "4111111111111111"}}, "payment.card_last_4"),
    ({"items": []}, "items"),
    ({"items": None}, "items"),
    ({"items": [item(quantity=0)]}, "items[0].quantity"),
    ({"items": [item(), item(price="1.1.1", item_id="b")]}, "items[1].price"),
    ({"items": [item(item_id="a"), item(item_id="a")]}, "items[1].item_id"),
    ({"items": [item(activation_codes=[{"code": ""}])]}, "items[0].activation_codes[0].code"),
    (
        {"items": [item(subscription={"id": "s", "type": "AR", "status": "on"})]},
        "items[0].subscription.status",
    ),
    ({"items": [item(delivered="yes")]}, "items[0].delivered"),
    ({"related_orders": [{"order_id": 1, "relation": "friend"}]}, "related_orders[0].relation"),
    ({"history": [{"date": "2026-03-01T10:00:00Z", "kind": "note", "text": "x"}]}, "history[0].kind"),
    ({"documents": [{"name": "x", "kind": "payment", "content_base64": "%"}]}, "documents[0].content_base64"),
]


@pytest.mark.parametrize(
    ("fields", "field"), WRONG, ids=[f"{field} {n}" for n, (_, field) in enumerate(WRONG)]
)
def test_a_wrong_value_is_refused_with_its_field(fields: dict[str, Any], field: str) -> None:
    assert refused(document() | fields).field == field


def test_a_card_number_is_not_repeated_in_the_error() -> None:
    assert "4111" not in str(refused(document(payment={"card_last_4": "4111111111111111"})))


@pytest.mark.parametrize("line", [
    "", "[]", "5", "null", "{", '{"order_id": 1, "order_id": 2}', '{"a": NaN}',
    '{"a": ' + "[" * 100_000, '{"a": ' + "9" * 5_000 + "}",
])  # fmt: skip
def test_a_line_that_is_no_document_is_refused_as_a_whole(line: str) -> None:
    with pytest.raises(ImportLineError) as raised:
        parse_order(line, 3)
    assert (raised.value.line, raised.value.field) == (3, None) or line.startswith('{"order_id": 1')


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(ImportLineError):
        parse_order(b'{"a": "\xff"}', 1)


def test_unknown_keys_are_left_out_and_named() -> None:
    parsed = parse(document(colour="red", items=[item(size=1)]))
    assert sorted(parsed.warnings) == ["colour", "items[0].size"]


def test_erased_people_have_no_personal_values_whatever_was_sent() -> None:
    erased = document(
        customer={"erased": True, "country": "DE", "email": 5, "first_name": "Ana"},
        payment={"payment_method": "Card", "card_last_4": "0042", "card_expiration_date": "01/29"},
        items=[item(license_user={"erased": True, "email": "a@b.example"})],
    )
    order = parse(erased).order
    assert (order.customer.email, order.customer.first_name, order.customer.country) == (None, None, "DE")
    assert (order.payment.card_last_4, order.payment.card_expiration_date) == (None, None)
    assert order.items[0].license_user.email is None


def test_the_hash_is_of_what_is_said_not_of_how() -> None:
    original = document(order_id=1)
    shuffled = json.dumps(dict(reversed(original.items())), indent=1).replace("\n", " ")
    assert parse_order(shuffled, 1).content_hash == parse(original).content_hash
    assert parse(original | {"colour": "red"}).content_hash == parse(original).content_hash
    assert parse(original | {"locale": "de"}).content_hash != parse(original).content_hash


def test_lines_are_numbered_as_in_the_file_and_blank_ones_left_out() -> None:
    file = io.BytesIO(b"\xef\xbb\xbf{}\r\n\r\n  \n{}")
    assert [number for number, _ in iter_lines(file)] == [1, 4]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | st.binary() | json_values.map(json.dumps))
def test_any_line_is_an_order_or_a_refusal(line: str | bytes) -> None:
    with pytest.raises(ImportLineError):
        parse_order(line, 1)


FULL = document(
    payment={"card_last_4": "0042"},
    items=[
        item(activation_codes=[{"code": "K"}], subscription={"id": "s", "type": "AR", "status": "active"})
    ],
    history=[{"date": "2026-03-01T10:00:00Z", "kind": "email", "text": "x"}],
    related_orders=[{"order_id": 1, "relation": "typo"}],
    additional_data=[{"name": "n", "value": "v"}],
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [full_path for key, part in inner for full_path in [(*path, key), *places(part, (*path, key))]]


@settings(max_examples=300)
@given(st.sampled_from(places(FULL)), json_values)
def test_any_value_in_any_place_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(FULL)
    group = changed
    for key in path[:-1]:
        group = group[key]
    group[path[-1]] = value
    try:
        order = parse(changed).order
    except ImportLineError as error:
        assert error.line == 7
    else:
        assert order.items and 1 <= order.order_id < 2**63
