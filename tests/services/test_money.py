from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import format_money, is_currency, minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "EUR", "EUR 1,234.50"),
        ("1234.500000", "EUR", "EUR 1,234.50"),
        ("1200", "JPY", "JPY 1,200"),
        ("1200.00", "JPY", "JPY 1,200"),
        ("1200.5", "JPY", "JPY 1,200.5"),
        ("0.123456", "USD", "USD 0.123456"),
        ("3.1", "KWD", "KWD 3.100"),
        ("0", "USD", "USD 0.00"),
        ("100", "USD", "USD 100.00"),
        ("-5", "USD", "USD -5.00"),
        ("999999999999.999999", "USD", "USD 999,999,999,999.999999"),
        ("1", "QQQ", "QQQ 1.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency_and_never_fewer_than_it_came_with(
    amount: str, currency: str, shown: str
) -> None:
    assert format_money(Decimal(amount), currency) == shown


@given(st.decimals(min_value=0, max_value=10**12, places=6), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_formatting_never_changes_the_amount(amount: Decimal, currency: str) -> None:
    assert Decimal(format_money(amount, currency)[4:].replace(",", "")) == amount


def test_currencies_are_codes_in_capital_letters() -> None:
    assert is_currency("EUR") and is_currency("HRK")
    assert not any(map(is_currency, ("eur", "EURO", "", "XTS", "XAU", "ZZZ")))


def test_minor_units() -> None:
    assert [minor_units(c) for c in ("EUR", "JPY", "BHD", "BYR", "ZZZ")] == [2, 0, 3, 0, 2]
