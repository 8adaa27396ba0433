"""What refunds come to: the rule by itself, over random orders and in every order of events."""

import random
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import decimals, minor_units
from services.refunds.sums import Earlier, Line, RefundSums, allot, refund_sums

CURRENCIES = ("EUR", "JPY", "BHD", "USD", "KRW")


def money(text: str) -> list[Line]:
    """`6.00 4.00*`: lines; a star marks a refunded one."""
    return [
        Line(position, Decimal(word.rstrip("*")), word.endswith("*"))
        for position, word in enumerate(text.split(), 1)
    ]


@pytest.mark.parametrize(
    ("total", "currency", "lines", "shares"),
    [
        ("9.00", "EUR", "6.00 4.00", "5.40 3.60"),  # a coupon on the order
        ("12.50", "EUR", "6.00 4.00", "7.50 5.00"),  # shipping
        ("10.00", "EUR", "6.00 4.00", "6.00 4.00"),
        ("9.00", "EUR", "6.00 4.00 -1.00", "5.40 3.60"),  # a discount line
        ("5.00", "EUR", "9.00", "5.00"),  # a line above the total
        ("1.00", "EUR", "1 1 1", "0.34 0.33 0.33"),  # the first one gets the cent that is left
        ("0.05", "EUR", "1 1 1 1 1 1 1", "0.01 0.01 0.01 0.01 0.01 0.00 0.00"),
        ("1000", "JPY", "333 333 333", "334 333 333"),
        ("1.000", "BHD", "1 1 1", "0.334 0.333 0.333"),
        ("5.00", "EUR", "0.00 10.00", "0.00 5.00"),  # a gift
        ("5.00", "EUR", "0.00 0.00", "2.50 2.50"),  # nothing but shipping
        ("0.00", "EUR", "10.00 5.00", "0.00 0.00"),
        ("9.0055", "EUR", "1 1", "4.5028 4.5027"),  # finer than a cent, and nothing is lost
        ("2.01", "EUR", "1.005 1.005", "1.01 1.00"),  # lines finer than a cent; what is paid back is not
        ("3.00", "EUR", "-1.00 -2.00", "1.50 1.50"),
        ("999999999999.999999", "EUR", "999999999999.999999", "999999999999.999999"),
    ],
)
def test_shares_of_an_order(total: str, currency: str, lines: str, shares: str) -> None:
    sums = refund_sums(Decimal(total), currency, money(lines))
    assert list(sums.shares.values()) == [Decimal(share) for share in shares.split()]
    assert sum(sums.shares.values()) == Decimal(total)


@pytest.mark.parametrize(
    ("lines", "earlier", "shares"),
    [
        # The portal gave back a line's share: the others keep theirs.
        ("6.00* 4.00", [("5.40", 1)], {2: "3.60"}),
        # The shop refunded a line; how much it gave back is unknown: its share, and never again.
        ("6.00* 4.00", [], {2: "3.60"}),
        # A refund of before, whose sum nobody recorded.
        ("6.00* 4.00", [(None, 1)], {2: "3.60"}),
        # Other prices now than at the first refund: what is left is left.
        ("6.00* 4.00", [("2.00", 1)], {2: "7.00"}),
        ("6.00* 4.00", [("8.99", 1)], {2: "0.01"}),
        # More was given back than the total is now.
        ("6.00* 4.00", [("20.00", 1)], {2: "0.00"}),
        # One line by the portal, another one by the shop.
        ("3.00* 3.00* 3.00", [("3.00", 1)], {3: "3.00"}),
        ("6.00* 4.00*", [("5.40", 1), ("3.60", 1)], {}),
    ],
)
def test_what_was_given_back_before(
    lines: str, earlier: list[tuple[str | None, int]], shares: dict[int, str]
) -> None:
    before = [
        Earlier(None, None, number) if amount is None else Earlier(Decimal(amount), "EUR", number)
        for amount, number in earlier
    ]
    sums = refund_sums(Decimal("9.00"), "EUR", money(lines), before)
    assert sums.shares == {position: Decimal(share) for position, share in shares.items()}
    assert sum(sums.shares.values()) == (sums.left if shares else 0)


def test_a_refund_in_the_orders_former_currency_settles_its_lines_and_no_more() -> None:
    sums = refund_sums(Decimal(9), "EUR", money("6 4"), [Earlier(Decimal(1000), "JPY", 1)])
    assert sums.shares == {1: Decimal("5.40"), 2: Decimal("3.60")}


@st.composite
def orders(draw: st.DrawFn) -> tuple[Decimal, str, list[Line]]:
    currency = draw(st.sampled_from(CURRENCIES))
    places = minor_units(currency) + draw(st.sampled_from((0, 0, 0, 2)))
    amount = st.decimals(-50, 500, places=places, allow_nan=False, allow_infinity=False)
    lines = [
        Line(number, value) for number, value in enumerate(draw(st.lists(amount, min_size=1, max_size=8)), 1)
    ]
    added = sum((line.amount for line in lines), Decimal(0))
    total = draw(st.one_of(st.just(max(added, Decimal(0))), st.decimals(0, 2000, places=places)))
    return total, currency, lines


@given(orders(), st.randoms(use_true_random=False))
def test_refunds_one_after_the_other_end_at_exactly_what_was_paid(
    order: tuple[Decimal, str, list[Line]], chance: random.Random
) -> None:
    total, currency, lines = order
    assert sum(refund_all(total, currency, lines, chance)) == total


@given(orders(), st.randoms(use_true_random=False))
def test_the_order_of_refunds_does_not_change_what_a_line_comes_to(
    order: tuple[Decimal, str, list[Line]], chance: random.Random
) -> None:
    total, currency, lines = order
    at_once = refund_sums(total, currency, lines)
    first = chance.choice(list(at_once.shares))
    rest = refund_sums(
        total,
        currency,
        [Line(line.position, line.amount, line.position == first) for line in lines],
        [Earlier(at_once.shares[first], currency, 1)],
    )
    assert rest.shares == {p: share for p, share in at_once.shares.items() if p != first}


@given(orders())
def test_no_share_is_finer_than_money_can_be_or_below_zero(order: tuple[Decimal, str, list[Line]]) -> None:
    total, currency, lines = order
    finest = max(minor_units(currency), decimals(total))
    for share in refund_sums(total, currency, lines).shares.values():
        assert share >= 0 and decimals(share) <= finest


@given(
    st.decimals(0, 10**6, places=2),
    st.lists(st.decimals(0, 10**6, places=2), min_size=1, max_size=10),
)
def test_a_share_is_within_a_unit_of_the_exact_one(amount: Decimal, weights: list[Decimal]) -> None:
    shares = allot(amount, "EUR", dict(enumerate(weights)))
    if total := sum(weights):
        for index, weight in enumerate(weights):
            assert abs(shares[index] - amount * weight / total) < Decimal("0.01")
        by_weight = sorted(range(len(weights)), key=lambda index: weights[index])
        assert all(shares[a] <= shares[b] + Decimal("0.01") for a, b in pairwise(by_weight))


def refund_all(total: Decimal, currency: str, lines: list[Line], chance: random.Random) -> list[Decimal]:
    """Refunds the order in random parts; the sums, in their order."""
    refunded: set[int] = set()
    earlier: list[Earlier] = []
    while True:
        now = [Line(line.position, line.amount, line.position in refunded) for line in lines]
        sums: RefundSums = refund_sums(total, currency, now, earlier)
        if not sums.shares:
            return [refund.amount or Decimal(0) for refund in earlier]
        chosen = chance.sample(sorted(sums.shares), chance.randint(1, len(sums.shares)))
        amount = sums.sum_of(chosen)
        assert Decimal(0) <= amount <= sums.left
        refunded.update(chosen)
        earlier.append(Earlier(amount, currency, len(chosen)))


def test_three_thousand_random_orders_are_paid_back_to_the_last_unit() -> None:
    chance = random.Random(16)
    for _ in range(3_000):
        currency = chance.choice(CURRENCIES)
        unit = Decimal(1).scaleb(-minor_units(currency))
        lines = [
            Line(number, unit * chance.choice((0, 1, chance.randint(-5_000, 100_000))))
            for number in range(1, chance.randint(2, 12))
        ]
        added = sum((line.amount for line in lines), Decimal(0))
        total = max(Decimal(0), added + unit * chance.choice((0, 0, 1, -1, chance.randint(-20_000, 20_000))))
        sums = refund_all(total, currency, lines, chance)
        assert sum(sums) == total, (total, lines)
