"""Every field of the search is in every list that a search passes through."""

from dataclasses import replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from db.statements.conditions import CONDITIONS, SearchValues
from pages.components.orders.filter_chips import active_filters
from pages.components.orders.form_fields import DATE_LABELS, PERIOD_LABELS, STATUS_GROUPS, TEXT_LABELS
from services.orders.filters import SEARCH_FIELDS, OrderFilter, SearchInput, parse_filter
from services.orders.periods import Period

UTC: Final = ZoneInfo("UTC")
TODAY: Final = date(2026, 11, 25)
# What each field is filled with, and the fields that it needs beside itself.
FILLED: Final[dict[str, dict[str, Any]]] = {
    "created_from": {"created_from": TODAY},
    "created_to": {"created_to": TODAY},
    "paid_from": {"paid_from": TODAY},
    "paid_to": {"paid_to": TODAY},
    "created_period": {"created_period": Period.LAST_WEEK},
    "paid_period": {"paid_period": Period.TODAY},
    "statuses": {"statuses": frozenset({MainStatus.PAID})},
    "delivery": {"delivery": frozenset({DeliveryStatus.DELIVERED})},
    "refunds": {"refunds": frozenset({RefundStatus.REQUESTED})},
    "card_last_4": {"card_last_4": "4242"},
    "order_ids": {"order_ids": "A0012345678"},
    "phone": {"phone": "8 (905) 123"},
    "activation_code": {"activation_code": "AAAA"},
    "stores": {"stores": ("shop-a",)},
    "subscription": {"subscription": SubscriptionFilter.WITH},
    "total_from": {"total_from": "10", "currency": "EUR"},
    "total_to": {"total_to": "10", "currency": "EUR"},
    "currency": {"currency": "EUR"},
    **{
        name: {name: "abc"}
        for name in (
            *("first_name", "last_name", "email", "company", "vat_number", "payment_method", "product"),
            *("country", "refund_reason"),
        )
    },
}


def test_every_value_has_a_condition_of_its_name() -> None:
    assert set(SearchValues.__slots__) == set(CONDITIONS)


def test_the_form_has_every_field_under_its_label() -> None:
    drawn = TEXT_LABELS | DATE_LABELS | PERIOD_LABELS
    assert {*drawn, *(name for name, _ in STATUS_GROUPS), "stores", "subscription"} == set(SEARCH_FIELDS)
    assert drawn == {name: SEARCH_FIELDS[name].label for name in drawn}


def test_every_field_is_tried_here() -> None:
    assert set(FILLED) == set(SEARCH_FIELDS)


@pytest.mark.parametrize("name", FILLED)
def test_a_field_is_compared_saved_and_shown_as_a_chip_that_takes_it_away(name: str) -> None:
    made = parse_filter(SearchInput(**FILLED[name]), zone=UTC, today=TODAY)
    assert made.values.parameters() or made.typed.stores
    assert OrderFilter.from_json(made.to_json()).values == made.values
    without = made.typed
    for _, change in active_filters(made.typed):
        without = replace(without, **change)  # type: ignore[arg-type]
    assert without == SearchInput()
