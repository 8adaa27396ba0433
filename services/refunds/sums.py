"""The sum of a refund: the order's total shared out over its lines, less what was given back before.

The rules and their reasons: docs/decisions/016-what-a-refund-comes-to.md, and 035-parts-of-a-line.md for a line that is
given back in parts. Nothing here reads or writes anything.
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
    """An order item as far as money goes. `refunded`: marked as refunded, by the portal or by the shop.

    `given_back` is what earlier refunds of parts gave back for it.
    """

    position: int
    amount: Decimal
    refunded: bool = False
    given_back: Decimal = _NOTHING


@dataclass(frozen=True, slots=True)
class Earlier:
    """A completed refund of the same order; `amount` is None when its sum was not recorded (before version 0.2).

    `lines` is the number of lines that it settled; one that was given back in part and is still open does not count.
    """

    amount: Decimal | None
    currency: str | None
    lines: int


@dataclass(frozen=True, slots=True)
class RefundSums:
    """What can be given back of an order. `shares`: what is left of each line that is open; they add up to `left`.

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
        parts = {line.position: line.given_back for line in lines if line.position in still}
        given_back = _given_back(
            currency,
            list(earlier),
            [whole[p] for p in sharing if p in refunded],
            sum(parts.values(), _NOTHING),
        )
        left = max(total - given_back, _NOTHING)
        shares = {position: whole[position] - parts[position] for position in still}
        # What was given back is not the shares of what is refunded.
        if sum(shares.values(), _NOTHING) != left or any(share < 0 for share in shares.values()):
            shares = allot(left, currency, _open_weights(still, whole, parts))
    return RefundSums(total, currency, given_back, shares)


def part_of(share: Decimal, currency: str, quantity: int, left: int) -> Decimal:
    """What `quantity` of the `left` pieces of a line come to, of which `share` is left.

    Rounded half up to the currency's unit. The next refund shares out what is left over the pieces that are left, so
    the parts add up to the share, and none is further than half a unit from its own proportion.
    """
    digits = max(minor_units(currency), decimals(share))
    with localcontext(_EXACT):
        units = (2 * int(share.scaleb(digits)) * quantity + left) // (2 * left)
        return Decimal(units).scaleb(-digits)


def _open_weights(
    still: Mapping[int, Decimal], whole: Mapping[int, Decimal], parts: Mapping[int, Decimal]
) -> dict[int, Fraction]:
    """The weight of each open line: its amount, less the part of it that was given back."""
    weights = {}
    for position, amount in still.items():
        part = Fraction(parts[position]) / Fraction(whole[position]) if whole[position] else Fraction(0)
        weights[position] = Fraction(amount) * max(1 - part, Fraction(0))
    return weights


def allot(
    amount: Decimal, currency: str, weights: Mapping[int, Decimal] | Mapping[int, Fraction]
) -> dict[int, Decimal]:
    """`amount` in whole units of the currency, in proportion to the weights; the shares add up to it.

    Largest remainder: everybody gets the whole units of their exact share, and what is left goes, a unit each, to the
    largest fractions, the first position first. Where no weight is above zero, all weigh the same. Where the amount
    itself is finer than the currency's unit, so are the shares.
    """
    if not weights:
        return {}
    digits = max(minor_units(currency), decimals(amount))
    above = {position: max(Fraction(weight), Fraction(0)) for position, weight in weights.items()}
    if not any(above.values()):
        above = dict.fromkeys(above, Fraction(1))
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


def _given_back(
    currency: str, earlier: Sequence[Earlier], settled: Sequence[Decimal], parts: Decimal
) -> Decimal:
    """What earlier refunds gave back; never less than `settled`, the shares of refunded lines, and `parts`, what was
    given back of open ones, if others refunded some.

    The sums that the shop gave back for a line, and those of refunds before version 0.2, were not recorded.
    Such a line counts as settled with its share: nothing is ever given back for it again.
    """
    amounts = [
        refund.amount for refund in earlier if refund.amount is not None and refund.currency == currency
    ]
    recorded = sum(amounts, _NOTHING)
    if len(amounts) == len(earlier) and len(settled) <= sum(refund.lines for refund in earlier):
        return recorded
    return max(recorded, sum(settled, parts))
