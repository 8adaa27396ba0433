"""A part of an order's line: some of its quantity, or an amount (decision 035)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from services.money import decimals, format_money, minor_units
from services.refunds.sums import part_of


class WrongPart(ValueError):
    """The part cannot be refunded; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is refunded of a line: a quantity, or an amount in the order's currency. An amount comes first."""

    quantity: int | None = None
    amount: Decimal | None = None


NO_PARTS: Final[Mapping[int, Part]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is left of a line: an amount for a number of pieces."""

    amount: Decimal
    currency: str
    quantity: int

    def sum_of(self, quantity: int) -> Decimal:
        return part_of(self.amount, self.currency, quantity, self.quantity)

    def checked_quantity(self, quantity: int) -> int:
        """Raises `WrongPart` unless so much is left."""
        if not 1 <= quantity <= self.quantity:
            raise WrongPart(f"a quantity from 1 to {self.quantity:,} can be refunded.")
        return quantity

    def checked_amount(self, amount: Decimal) -> Decimal:
        """The amount with the currency's decimals. Raises `WrongPart` unless so much is left and can be paid."""
        # What is left may be finer than the currency's unit; then all of it may be given back.
        if not amount.is_finite() or not 0 < amount <= self.amount:
            raise WrongPart(f"at most {format_money(self.amount, self.currency)} is left to refund.")
        units = minor_units(self.currency)
        if decimals(amount) > units and amount != self.amount:
            raise WrongPart(f"amounts in {self.currency} have {units} decimals.")
        return amount.quantize(Decimal(1).scaleb(-max(units, decimals(amount))))
