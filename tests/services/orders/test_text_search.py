"""Texts at their edges, in every script: what is imported with them is found, whichever way it is spelt."""

from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import find_orders, missing_ids
from services.orders.search_fields import parse_phone
from tests.services.orders.oracle import BERLIN
from tests.support import factories

CUSTOMERS = {
    1: {"first_name": "\u200bAnneke", "email": "anneke@example.com\u200b", "phone": "০১৭১২৩৪৫৬৭৮"},
    2: {"first_name": "ΜΑΪ́ΟΥ", "email": "\ufeffpost@example.com", "phone": "\u202a+49\u00a030 ١٢٣\u202c"},
    3: {
        "first_name": "Ünal\u2060",
        "email": "kontakt@straße.example",
        "company_name": "\u3164Straße AG\u00ad",
    },
    4: {"last_name": "Ｎakamura", "email": "kontakt@strasse.example", "vat_number": "DE\u00a01\ufe0f"},
}
NAMES = {1: ("A0000000001", "ALS-7000001"), 2: ("#1001", "1C-77"), 3: ("INV/2024 17", None), 4: ("1002", "5")}


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    for number, customer in CUSTOMERS.items():
        name, number_1c = NAMES[number]
        factories.take_in(
            factories.document(
                order_id=number,
                order_name=name,
                order_id_1c=number_1c,
                checkout_page="shop-a",
                customer=customer,
            )
        )
    factories.take_in(factories.document(order_id=1001, order_name="A1001", checkout_page="shop-a"))
    factories.take_in(
        factories.document(order_id=50, order_name="#77", order_id_1c="ALS-7000050", checkout_page="shop-b")
    )
    return factories.account("anna@example.com", stores=["shop-a"])


def order_ids(account_id: int, **fields: Any) -> set[int]:
    with viewer_transaction(account_id) as connection:
        order_filter = parse_filter(SearchInput(**fields), zone=BERLIN)
        return {
            row.order_id for row in find_orders(connection, factories.viewer(account_id), order_filter).rows
        }


@pytest.mark.parametrize(
    ("fields", "orders"),
    [
        ({"first_name": "anneke"}, {1}),
        ({"first_name": "\ufeff ANNEKE\u200d"}, {1}),
        ({"email": "Anneke@Example.com"}, {1}),
        ({"phone": "01712345678"}, {1}),
        ({"phone": "০১৭১২৩৪৫৬৭৮"}, {1}),
        ({"phone": "٠١٧١-２３４５६७८"}, {1}),
        ({"first_name": "μαΐου"}, {2}),
        ({"first_name": "ΜΑΪ\u0301ΟΥ".lower()}, {2}),
        ({"first_name": "Μαι\u0308\u0301ου"}, {2}),
        ({"email": "post@example.com"}, {2}),
        ({"phone": "4930123"}, {2}),
        ({"first_name": "u\u0308NAL"}, {3}),
        ({"company": "strasse ag"}, {3}),
        ({"email": "KONTAKT@straße.example"}, {3}),
        ({"email": "kontakt@xn--strae-oqa.example"}, {3}),
        ({"email": "kontakt@strasse.example"}, {4}),
        ({"vat_number": "de\u00a01"}, {4}),
        ({"first_name": "ann"}, set()),
    ],
)
def test_found_in_every_spelling(anna: int, fields: dict[str, str], orders: set[int]) -> None:
    assert order_ids(anna, **fields) == orders


@pytest.mark.parametrize(
    ("ids", "orders"),
    [
        ("A0000000001", {1}),
        ("als-7000001", {1}),
        ("ALS-7000001、#1001", {1, 2}),
        ("1C-77", {2}),
        # As it is shown, and not its digits, which are another order's.
        ("#1001", {2}),
        ("1001", {1001}),
        ("A1001", {1001}),
        ("INV/2024 17", {3}),
        # A number that is a name as well is both.
        ("1002", {4}),
        ("5", {4}),
        ("5\n1002\n1", {4, 1}),
        ("١٠٠٢", set()),  # the digits of a name count only where they are its own
        ("1/2/1001", {1, 2, 1001}),
        ("1.0 4", {1, 4}),
        # Another store's names are like none.
        ("#77", set()),
        ("ALS-7000050", set()),
        ("50", set()),
    ],
)
def test_order_ids_are_found_as_shown(anna: int, ids: str, orders: set[int]) -> None:
    assert order_ids(anna, order_ids=ids) == orders


def test_what_is_missing_is_named_as_it_was_typed(anna: int) -> None:
    with viewer_transaction(anna) as connection:
        order_filter = parse_filter(SearchInput(order_ids="#1001 #77 ALS-7000050 3 999"), zone=BERLIN)
        missing = missing_ids(connection, factories.viewer(anna), order_filter)
    assert missing == (3, ("#77", "ALS-7000050", "999"))


def test_a_phone_number_has_digits_of_some_script() -> None:
    assert parse_phone("०१") == ("०१", "०१")
