"""docs/order-document.schema.json against the parser: the same fields, and the same verdict on every value tried."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.importing import models, readers
from services.importing.document import ImportLineError, parse_order

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "order-document.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
WHOLE: dict[str, Any] = {
    "order_id": 12345678, "order_name": "A0012345678", "order_id_1c": "ALS-1", "checkout_page": "demo-eu",
    "status": "paid", "create_date": "2026-01-31T09:30:00+00:00", "pay_date": "2026-01-31T09:31:00Z",
    "currency": "EUR", "total": "49.00", "locale": "de", "order_detail_url": "https://shop.example/1",
    "updated_at": "2026-02-01T00:00:00Z",
    "customer": {
        "type": "legal", "country": "DE", "email": "a@example.com", "first_name": "A", "last_name": "B",
        "phone": "+49 1",
        "vat_number": "DE1", "company_name": "C", "company_billing_address": "D", "company_delivery_address": "E",
        "erased": False,
    },
    "payment": {
        "payment_method": "Card", "payment_system_name": "X", "card_type": "Visa", "card_last_4": "0042",
        "card_expiration_date": "01/30",
    },
    "items": [{
        "item_id": "1", "product_id": 7, "sku": "S", "name": "Editor", "price": "49.00", "quantity": 1,
        "discount_percent": "0", "discount_amount": "0.00", "vat_amount": "7.82", "amount": "49.00",
        "delivery": "electronic", "delivered": True, "refunded": False,
        "license_user": {"first_name": "A", "last_name": "B", "email": "a@example.com", "erased": False},
        "activation_codes": [{"code": "AAAA-BBBB", "deleted": False}],
        "additional_fields": [{"name": "n", "value": "v"}],
        "subscription": {
            "id": "S1", "type": "AR", "status": "active", "parent_order_id": 1, "period": "P1Y",
            "next_renewal_date": "9999-12-31T00:00:00Z",
        },
    }],
    "additional_data": [{"name": "n", "value": "v"}],
    "related_orders": [{"order_id": 5, "relation": "parent"}],
    "history": [{"date": "2026-01-31T09:30:00Z", "kind": "email", "text": "sent"}],
    "documents": [{"name": "a.pdf", "kind": "payment", "content_base64": "JVBERg==", "media_type": "application/pdf"}],
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, "", "  ", "x", "x" * 65, "x" * 201, "x" * 2_001, "x" * 10_001, 0, 1, -1, 1.5, 2**63, True, False, [], {},
    ["x"], [{}],
    "12.50", "0", "1,5", "1e3", "1234567890123.0", "P1Y", "paid", "not paid", "deleted", "legal", "physical", "EUR",
    "eur",
    "2026-01-31T09:30:00Z", "2026-01-31T09:30:00", "2026-01-31", "0042", "42",
)  # fmt: skip
# What a schema cannot say, or says in words only (docs/order-document.md): which currencies there are, what a web
# address, a media type and Base64 are, which days exist, that ids differ and that an order is not related to itself.
ONLY_PARSED = {"currency", "order_detail_url", "media_type", "content_base64"}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from paths(child, (*path, key))


def replaced(path: tuple[str | int, ...], value: Any, *, absent: bool = False) -> dict[str, Any]:
    document = copy.deepcopy(WHOLE)
    group: Any = document
    for key in path[:-1]:
        group = group[key]
    if absent:
        del group[path[-1]]
    else:
        group[path[-1]] = value
    return document


def is_accepted(document: dict[str, Any]) -> bool:
    try:
        parse_order(json.dumps(document), 1)
    except ImportLineError:
        return False
    return True


def test_the_whole_document_is_accepted_by_both() -> None:
    VALIDATOR.check_schema(SCHEMA)
    VALIDATOR.validate(WHOLE)
    assert parse_order(json.dumps(WHOLE), 1).warnings == ()


@pytest.mark.parametrize("path", list(paths(WHOLE)), ids=lambda path: ".".join(map(str, path)))
def test_both_judge_alike(path: tuple[str | int, ...]) -> None:
    differing = []
    tried = [replaced(path, value) for value in VALUES] + [replaced(path, None, absent=True)]
    for document in tried:
        schema, parser = VALIDATOR.is_valid(document), is_accepted(document)
        if schema != parser and not (schema and path[-1] in ONLY_PARSED):
            differing.append((document, schema, parser))
    assert differing == []


def test_every_field_of_the_models_is_in_the_schema_and_no_other() -> None:
    properties, item = SCHEMA["properties"], SCHEMA["properties"]["items"]["items"]["properties"]
    assert set(properties) == set(models.OrderDocument.__slots__)
    assert set(item) == set(models.ItemData.__slots__) - {"has_own_id"}
    for group, model in (
        (properties["customer"], models.CustomerData),
        (properties["payment"], models.PaymentData),
        (item["license_user"], models.LicenseUserData),
        (item["activation_codes"]["items"], models.ActivationCodeData),
        (item["subscription"], models.SubscriptionData),
        (item["additional_fields"]["items"], models.NameValue),
        (properties["related_orders"]["items"], models.RelatedOrder),
        (properties["history"]["items"], models.HistoryEvent),
    ):
        assert set(group["properties"]) == set(model.__slots__), model
    assert set(properties["documents"]["items"]["properties"]) == readers._DOCUMENT_KEYS
