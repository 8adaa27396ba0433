"""Limits of sums as administrators type them: an amount for every currency, or one for each.

What a connection may pay back, and above what a second operator approves a refund.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.errors import InvalidInput
from services.money import decimals, is_currency, minor_units

_LONGEST: Final = 1000
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_THOUSANDS: Final = re.compile(r"[0-9],[0-9]")
_PROBLEM: Final = (
    "Give an amount such as 500.00, which holds in every currency, or amounts by currency: "
    "EUR 500, JPY 80000."
)


@dataclass(frozen=True, slots=True)
class Cap:
    """The largest sum by currency. `otherwise` holds for currencies that are not named; None: nothing may be paid."""

    by_currency: dict[str, Decimal]
    otherwise: Decimal | None

    def of(self, currency: str) -> Decimal:
        """The largest sum in the currency; zero when the cap leaves it out."""
        return self.by_currency.get(currency, self.otherwise or Decimal(0))

    def to_json(self) -> dict[str, str]:
        """By currency; "*" stands for those that are not named."""
        amounts = {currency: f"{amount:f}" for currency, amount in self.by_currency.items()}
        return amounts if self.otherwise is None else amounts | {"*": f"{self.otherwise:f}"}


def cap_text(limits: Mapping[str, str] | None) -> str:
    """What an administrator would type for the limits that `Cap.to_json` gave."""
    return ", ".join(
        amount if currency == "*" else f"{currency} {amount}" for currency, amount in (limits or {}).items()
    )


def read_cap(text: object, *, field: str | None = None) -> Cap | None:
    """The cap that the text means; None for none at all. Raises `InvalidInput`.

    Amounts are separated by commas or semicolons, have a dot before their decimals and none between thousands.
    """
    if text is None or text == "":
        return None
    # "EUR 1,000" would be 1 euro, and nothing in any other currency.
    if not isinstance(text, str) or len(text) > _LONGEST or _THOUSANDS.search(text):
        raise InvalidInput(_PROBLEM, field=field)
    by_currency: dict[str, Decimal] = {}
    otherwise: Decimal | None = None
    parts = [part.split() for part in text.replace(";", ",").split(",") if part.strip()]
    for words in parts:
        *currency, amount = words
        if len(words) > 2 or not _AMOUNT.fullmatch(amount):
            raise InvalidInput(_PROBLEM, field=field)
        if not currency and otherwise is None:
            otherwise = Decimal(amount)
        elif currency and is_currency(currency[0].upper()) and currency[0].upper() not in by_currency:
            by_currency[currency[0].upper()] = _in_currency(currency[0].upper(), Decimal(amount), field)
        else:
            raise InvalidInput(_PROBLEM, field=field)
    return Cap(by_currency, otherwise) if parts else None


def _in_currency(currency: str, amount: Decimal, field: str | None) -> Decimal:
    if decimals(amount) > minor_units(currency):
        raise InvalidInput(f"Amounts in {currency} have {minor_units(currency)} decimals.", field=field)
    return amount
