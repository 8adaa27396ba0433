"""The sum of a refund: the order's total shared out over its lines, less what was given back before.

The rule and its reasons: docs/decisions/016-what-a-refund-comes-to.md. Nothing here reads or writes anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

from services.money import decimals, minor_units

_NOTHING: Final = Decimal(0)
# More digits than PostgreSQL's `numeric` has: nothing is rounded by the way.
_EXACT: Final = Context(prec=150_000)


@dataclass(frozen=True, slots=True)
class Line:
    """An order item as far as money goes. `refunded`: marked as refunded, by the portal or by the shop."""

    position: int
    amount: Decimal
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """A completed refund of the same order; `amount` is None when its sum was not recorded (before version 0.2)."""

    amount: Decimal | None
    currency: str | None
    lines: int


@dataclass(frozen=True, slots=True)
class RefundSums:
    """The sums that can be given back of an order. `shares`: of each line not refunded yet; they add up to `left`.

    `shares` lacks the lines that cannot be refunded by themselves: refunded ones, discounts and returns.
    """

    total: Decimal
    currency: str
    given_back: Decimal
    shares: Mapping[int, Decimal]

    @property
    def left(self) -> Decimal:
        with localcontext(_EXACT):
            return max(self.total - self.given_back, _NOTHING)

    def sum_of(self, positions: Iterable[int]) -> Decimal:
        """The sum of a refund of these lines. Raises `KeyError` for a line that cannot be refunded."""
        with localcontext(_EXACT):
            return sum((self.shares[position] for position in set(positions)), _NOTHING)


def refund_sums(
    total: Decimal, currency: str, lines: Sequence[Line], earlier: Iterable[Earlier] = ()
) -> RefundSums:
    """The share of every line, so that any refunds one after the other end at exactly what was paid.

    Whatever lies between the total and the lines (a coupon on the order, discount and return lines, shipping) is shared
    out over the lines above zero in proportion to their amounts.
    """
    sharing = {line.position: line.amount for line in lines if line.amount >= 0}
    sharing = sharing or {line.position: line.amount for line in lines}
    refunded = {line.position for line in lines if line.refunded}
    still = {position: amount for position, amount in sharing.items() if position not in refunded}
    with localcontext(_EXACT):
        whole = allot(total, currency, sharing)
        given_back = _given_back(currency, list(earlier), [whole[p] for p in sharing if p in refunded])
        left = max(total - given_back, _NOTHING)
        shares = {position: whole[position] for position in still}
        if (
            sum(shares.values(), _NOTHING) != left
        ):  # what was given back is not the shares of what is refunded
            shares = allot(left, currency, still)
    return RefundSums(total, currency, given_back, shares)


def allot(amount: Decimal, currency: str, weights: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """`amount` in whole units of the currency, in proportion to the weights; the shares add up to it.

    Largest remainder: everybody gets the whole units of their exact share, and what is left goes, a unit each, to the
    largest fractions, the first position first. Where no weight is above zero, all weigh the same. Where the amount
    itself is finer than the currency's unit, so are the shares.
    """
    if not weights:
        return {}
    digits = max(minor_units(currency), decimals(amount))
    if not any(weight > 0 for weight in weights.values()):
        weights = dict.fromkeys(weights, Decimal(1))
    above = {position: Fraction(max(weight, _NOTHING)) for position, weight in weights.items()}
    with localcontext(_EXACT):
        units = int(amount.scaleb(digits))
    weight = sum(above.values())
    exact = {position: units * part / weight for position, part in above.items()}
    shares = {position: int(share) for position, share in exact.items()}
    missing = units - sum(shares.values())
    by_fraction = sorted(exact, key=lambda position: (shares[position] - exact[position], position))
    for position in by_fraction[:missing]:
        shares[position] += 1
    with localcontext(_EXACT):
        return {position: Decimal(share).scaleb(-digits) for position, share in shares.items()}


def _given_back(currency: str, earlier: Sequence[Earlier], settled: Sequence[Decimal]) -> Decimal:
    """The sum that earlier refunds gave back: at least `settled`, the shares of lines that others refunded.

    The sums that the shop gave back for a line, and those of refunds before version 0.2, were not recorded.
    Such a line counts as settled with its share: nothing is ever given back for it again.
    """
    amounts = [
        refund.amount for refund in earlier if refund.amount is not None and refund.currency == currency
    ]
    recorded = sum(amounts, _NOTHING)
    if len(amounts) == len(earlier) and len(settled) <= sum(refund.lines for refund in earlier):
        return recorded
    return max(recorded, sum(settled, _NOTHING))
