"""Amounts as Stripe's interface counts them: whole minor units, with exceptions of its own.

Source: https://docs.stripe.com/currencies (zero-decimal currencies, three-decimal currencies, special cases).
"""

from decimal import Decimal
from typing import Final

from services.money import format_money, minor_units

# Where Stripe's count of decimals is not that of ISO 4217. ISK and UGX have none, and are sent with two all the same.
_DECIMALS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
# The last digits that have to be zero: of the two currencies above, and of those with three decimals.
_WHOLE: Final = {"ISK": 100, "UGX": 100, "BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}


class InexactAmount(ValueError):
    """Stripe cannot move this sum exactly; the text is a sentence for the operator."""


def to_stripe(amount: Decimal, currency: str) -> int:
    """The amount in Stripe's units. Nothing is rounded: raises `InexactAmount` instead."""
    units = amount.scaleb(_decimals(currency))
    if units != int(units) or int(units) % _WHOLE.get(currency, 1):
        raise InexactAmount(f"Stripe cannot pay back exactly {format_money(amount, currency)}.")
    return int(units)


def from_stripe(units: int, currency: str) -> Decimal:
    """The amount in the currency's own unit. Stripe writes currencies in small letters."""
    return Decimal(units).scaleb(-_decimals(currency.upper()))


def _decimals(currency: str) -> int:
    return _DECIMALS.get(currency, minor_units(currency))
