"""The JSON Schema of the order document against its parser, both ways: what one accepts, the other accepts."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importing import models
from services.importing.document import ImportLineError, parse_order
from services.money import is_currency
from tests.support.factories import run, take_in

DOCS = Path(__file__).resolve().parents[3] / "docs"
# JSON of any shape: its type is what the tests find out.
SCHEMA: dict[str, Any] = json.loads((DOCS / "order-document.schema.json").read_text(encoding="utf-8"))
EXAMPLE: dict[str, Any] = json.loads((DOCS / "order-document.example.json").read_text(encoding="utf-8"))
Place = tuple[str | int, ...]


def _ecma_pattern(_: object, pattern: str, value: object, __: object) -> Iterator[jsonschema.ValidationError]:
    """`pattern` as JSON Schema means it: in Python's expressions, `$` also matches before a last line feed."""
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern})(SCHEMA)


def schema_accepts(document: Any) -> bool:
    return bool(VALIDATOR.is_valid(document))


def refusal(document: Any) -> str | None:
    """The parser's reason, None when it accepts."""
    try:
        parse_order(json.dumps(document), 1)
    except ImportLineError as error:
        return error.reason
    return None


def changed(path: Place, value: Any, document: dict[str, Any] = EXAMPLE) -> dict[str, Any]:
    """The document with another value in this place; where the place is no longer there, as it was."""
    document = copy.deepcopy(document)
    container: Any = document
    for key in path[:-1]:
        try:
            container = container[key]
        except (KeyError, IndexError, TypeError):
            return document
    last: Any = path[-1]
    if isinstance(container, dict) or (isinstance(container, list) and last in range(len(container))):
        container[last] = value
    return document


def without(path: Place, document: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    container: Any = document
    for key in path[:-1]:
        container = container[key]
    del container[path[-1]]
    return document


def places(value: Any, path: Place = ()) -> list[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [full_path for key, part in inner for full_path in ((*path, key), *places(part, (*path, key)))]


def label(path: Place) -> str:
    return ".".join(map(str, path))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_example_of_the_documentation_is_imported() -> None:
    assert schema_accepts(EXAMPLE)
    assert parse_order(json.dumps(EXAMPLE), 1).warnings == ()
    take_in(EXAMPLE)
    rows = run("SELECT o.total, i.name FROM orders o JOIN order_item i USING (order_id) ORDER BY i.position")
    assert [tuple(row) for row in rows] == [
        (Decimal("44.90"), "Antivirus, one year"),
        (Decimal("44.90"), "Spring discount"),
    ]


@dataclass(frozen=True)
class Unsaid:
    """A document that the schema accepts and the parser refuses, and how the reason reads."""

    reason: str
    path: Place
    value: Any


# One of them can be stored, not two; without their sum as the document's own total, that is.
MOST = {"name": "A", "price": "1", "quantity": 1, "amount": "999999999999"}
# All that a schema cannot say of an order document.
CANNOT_SAY = (
    Unsaid(r"Expected a date and time with its offset", ("create_date",), "2026-02-30T10:00:00Z"),
    Unsaid(r"Expected a time in the years 1970 to (?:2200|9999)", ("create_date",), "1066-01-01T00:00:00Z"),
    Unsaid(r"Expected a web address", ("order_detail_url",), "https://shop@elsewhere.example/"),
    Unsaid(r"The id “900200300-1” belongs to an earlier item", ("items", 1, "item_id"), "900200300-1"),
    Unsaid(r"An order cannot be related to itself", ("related_orders", 0, "order_id"), 900200300),
    Unsaid(r"The amounts of the items add up to more than can be stored", ("items",), [MOST, MOST]),
    # To a schema, 1.0 is an integer.
    Unsaid(r"Expected .*, but the document has (?:\d+\.0|[\d.]+e\+\d+)\.$", ("items", 0, "quantity"), 1.0),
    Unsaid(r"The file is over 10 MB", ("documents", 0, "content_base64"), "A" * 13_981_016),
    # JSON may name half of a surrogate pair, but expressions need not be able to.
    Unsaid(r"The text has the character U\+D[89A-F]", ("order_name",), "\ud800"),
)  # fmt: skip


@pytest.mark.parametrize("unsaid", CANNOT_SAY, ids=lambda unsaid: label(unsaid.path))
def test_what_the_schema_cannot_say_is_refused_by_the_parser(unsaid: Unsaid) -> None:
    document = changed(unsaid.path, unsaid.value, without(("total",), EXAMPLE))
    reason = refusal(document)
    assert reason is not None and re.match(unsaid.reason, reason)
    assert schema_accepts(document)


def test_digits_of_other_scripts_are_read_although_the_schema_asks_for_ascii() -> None:
    document = changed(("payment", "card_last_4"), "٠٠٤٢")
    assert refusal(document) is None and not schema_accepts(document)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
# What lies near a border between accepted and refused.
borders: st.SearchStrategy[Any] = st.sampled_from([
    "", " ", "\t\n", "a\0b", "0", "12.50", "-3", "-0.00", "-0", "1.", "1.5\n", "100", "100.000001", "0000000100",
    "1" * 12, "1" * 13, "0.1234567", "+1", "2026-03-01T10:00:00Z", "2026-03-01", "9999-12-31T23:59:59+00:00",
    "paid", "not paid", "Paid", "physical", "legal", "AR", "P1Y", "P", "PT1H", "P1YT", "0042", "00421",
    "text/plain", "text", "QUI=", "QUI", "====", "QQ==", "EUR", "eur", "https://a.example/", "HTTP://a", "ftp://a",
    0, 1, -1, 1_000_000, 1_000_001, 2**63 - 1, 2**63, True, False, None, 1.5, [], {}, [{}], [None],
])  # fmt: skip
PLACES = [
    *places(EXAMPLE),
    ("colour",),
    ("customer", "size"),
    ("items", 1, "subscription"),
    ("items", 1, "vat_amount"),
]
changes = st.tuples(st.sampled_from(PLACES), borders | json_values)


def agree(document: dict[str, Any]) -> None:
    reason = refusal(document)
    if schema_accepts(document):
        assert reason is None or any(re.match(unsaid.reason, reason) for unsaid in CANNOT_SAY), reason
    else:
        assert reason is not None, next(VALIDATOR.iter_errors(document)).message


@settings(max_examples=600, deadline=None)
@given(st.lists(changes, min_size=1, max_size=3))
def test_schema_and_parser_agree_on_changed_documents(changes: list[tuple[Place, Any]]) -> None:
    document = EXAMPLE
    for path, value in changes:
        document = changed(path, value, document)
    agree(document)


@pytest.mark.parametrize("path", places(EXAMPLE), ids=label)
def test_schema_and_parser_agree_on_what_may_be_absent_or_null(path: Place) -> None:
    agree(without(path, EXAMPLE))
    agree(changed(path, None))


AMOUNTS = ("-12.50", "-0.00", "0", "12.50", " ", None)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_schema_and_parser_agree_on_what_may_be_below_zero(amount: str | None) -> None:
    for key, value in product(("price", "discount_amount", "vat_amount", "discount_percent"), AMOUNTS):
        agree(changed(("items", 0, key), value, changed(("items", 0, "amount"), amount)))
    for total in AMOUNTS:
        document = changed(("items", 1, "price"), "5.00", changed(("items", 1, "amount"), amount))
        agree(changed(("total",), total, document))


@pytest.mark.parametrize("erased", [True, False, None, "yes", 1])
@pytest.mark.parametrize("path", [p for p in places(EXAMPLE) if len(p) > 1], ids=label)
def test_schema_and_parser_agree_on_erased_people(erased: Any, path: Place) -> None:
    for person in (("customer",), ("items", 0, "license_user")):
        agree(changed(path, 5, changed((*person, "erased"), erased)))


@pytest.mark.parametrize("path", places(EXAMPLE), ids=label)
def test_texts_have_the_same_longest_length(path: Place) -> None:
    reason = refusal(changed(path, "x" * 20_001)) or ""
    if limit := re.fullmatch(r"The text has 20,001 characters; at most ([\d,]+) are accepted\.", reason):
        most = int(limit[1].replace(",", ""))
        for length in (most, most + 1):
            agree(changed(path, "x" * length))


def test_words_are_the_same() -> None:
    lists = set()
    for path in places(EXAMPLE):
        reason = refusal(changed(path, "no such word")) or ""
        if reason.startswith("Expected one of "):
            listed = re.findall("“([^”]+)”", reason.partition(", but ")[0])
            lists.add(frozenset(listed))
            for word in listed:
                assert schema_accepts(changed(path, word)), (path, word)
    assert len(lists) == 7
    assert set(enums(SCHEMA)) == lists | {frozenset(SCHEMA["$defs"]["currency"]["enum"])}


def test_currencies_are_the_same() -> None:
    codes = {code for letters in product(ascii_uppercase, repeat=3) if is_currency(code := "".join(letters))}
    assert set(SCHEMA["$defs"]["currency"]["enum"]) == codes


def enums(schema: Any) -> Iterator[frozenset[str]]:
    if isinstance(schema, dict):
        if "enum" in schema:
            yield frozenset(schema["enum"]) - {None}
        for part in schema.values():
            yield from enums(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from enums(part)


GROUPS = {
    models.OrderDocument: (SCHEMA, EXAMPLE),
    models.CustomerData: ("customer", EXAMPLE["customer"]),
    models.PaymentData: ("payment", EXAMPLE["payment"]),
    models.ItemData: ("item", EXAMPLE["items"][0]),
    models.LicenseUserData: ("license_user", EXAMPLE["items"][0]["license_user"]),
    models.ActivationCodeData: ("activation_code", EXAMPLE["items"][0]["activation_codes"][0]),
    models.NameValue: ("name_value", EXAMPLE["additional_data"][0]),
    models.SubscriptionData: ("subscription", EXAMPLE["items"][0]["subscription"]),
    models.RelatedOrder: ("related_order", EXAMPLE["related_orders"][0]),
    models.HistoryEvent: ("history_event", EXAMPLE["history"][0]),
    models.DocumentData: ("document", EXAMPLE["documents"][0]),
}


def properties(schema: Any) -> set[str]:
    """The fields of a group, those included that are only read while the person is not erased."""
    if isinstance(schema, str):
        schema = SCHEMA["$defs"][schema]
    named = set(schema.get("properties", ())) | set(schema.get("else", {}).get("properties", ()))
    if "$ref" in schema:
        named |= properties(schema["$ref"].removeprefix("#/$defs/"))
    return named


@pytest.mark.parametrize("model", GROUPS, ids=lambda model: model.__name__)
def test_every_field_of_the_models_is_in_the_schema_and_in_the_example(model: Any) -> None:
    schema, example = GROUPS[model]
    # Whether an item has an id of its own is seen, not sent; a file is sent as Base64.
    sent = {"content": "content_base64"}
    names = {sent.get(field.name, field.name) for field in fields(model)} - {"has_own_id"}
    assert properties(schema) == names
    assert set(example) == names


def test_every_model_is_held_against_the_schema() -> None:
    here = {model for model in vars(models).values() if hasattr(model, "__dataclass_fields__")}
    assert here == set(GROUPS)
