"""Refunds of parts against a model: any orders, quantities, currencies and sequences end at exactly what was paid."""

import os
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.money import decimals, minor_units
from services.refunds.parts import Part, Pieces
from services.refunds.plans import PlannedItem, RefundPlan
from services.refunds.sums import Earlier, Line, refund_sums

CURRENCIES = ("EUR", "JPY", "BHD", "USD", "KRW", "KWD")
EXAMPLES = int(os.environ.get("REFUND_ORDERS", "200"))


@dataclass
class Ordered:
    """An order in the model: lines (amount, quantity), and what was given back by whole units of the currency."""

    total: Decimal
    currency: str
    lines: list[tuple[Decimal, int]]
    given: dict[int, Decimal] = field(default_factory=dict)
    returned: dict[int, int] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    earlier: list[Earlier] = field(default_factory=list)

    def plan(self) -> RefundPlan:
        """As `find_plan` makes it from the database."""
        lines = [
            Line(p, amount, p in self.settled, self.given.get(p, Decimal(0)))
            for p, (amount, _) in enumerate(self.lines, 1)
        ]
        sums = refund_sums(self.total, self.currency, lines, self.earlier)
        items = tuple(
            PlannedItem(
                p, "x", quantity, amount, p in self.settled, sums.shares.get(p), (), None,
                self.given.get(p, Decimal(0)), self.returned.get(p, 0),
            )
            for p, (amount, quantity) in enumerate(self.lines, 1)
        )  # fmt: skip
        return RefundPlan(sums, items)


@st.composite
def orders(draw: st.DrawFn) -> Ordered:
    currency = draw(st.sampled_from(CURRENCIES))
    unit = Decimal(1).scaleb(-minor_units(currency))
    lines = [
        (unit * draw(st.integers(0, 20_000)), draw(st.integers(1, 9))) for _ in range(draw(st.integers(1, 4)))
    ]
    added = sum((amount for amount, _ in lines), Decimal(0))
    total = max(Decimal(0), added + unit * draw(st.sampled_from((0, 0, 0, 1, -1, -777, 1234))))
    return Ordered(total, currency, lines)


def refund_some(order: Ordered, draw: st.DataObject) -> Decimal:
    """One refund of some lines or parts of them, recorded in the model; its sum."""
    plan = order.plan()
    unit = Decimal(1).scaleb(-minor_units(order.currency))
    positions = draw.draw(
        st.lists(st.sampled_from(sorted(plan.sums.shares)), min_size=1, unique=True), label="positions"
    )
    parts: dict[int, Part] = {}
    for item in plan.items:
        if item.position not in positions or item.share is None:
            continue
        kind = draw.draw(st.sampled_from(("all", "quantity", "amount")), label="kind")
        if kind == "quantity":
            parts[item.position] = Part(quantity=draw.draw(st.integers(1, item.quantity_left)))
        elif kind == "amount" and item.share >= unit:
            parts[item.position] = Part(amount=unit * draw.draw(st.integers(1, int(item.share / unit))))
    items = plan.choose(positions, parts)
    amount = sum((item.amount for item in items), Decimal(0))
    for refunded in items:
        share = plan.sums.shares[refunded.position]
        assert Decimal(0) <= refunded.amount <= share and decimals(refunded.amount) <= minor_units(
            order.currency
        )
        assert not refunded.is_whole or refunded.amount == share
        order.given[refunded.position] = order.given.get(refunded.position, Decimal(0)) + refunded.amount
        order.returned[refunded.position] = order.returned.get(refunded.position, 0) + (
            refunded.quantity or 0
        )
        if refunded.is_whole:
            order.settled.add(refunded.position)
    order.earlier.append(Earlier(amount, order.currency, sum(item.is_whole for item in items)))
    assert plan.is_full(items) is (not order.plan().sums.shares)
    return amount


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.data())
def test_any_refunds_of_parts_end_at_exactly_what_was_paid(order: Ordered, draw: st.DataObject) -> None:
    given_back = Decimal(0)
    shares = dict(order.plan().sums.shares)
    for _ in range(60):
        if not order.plan().sums.shares:
            break
        given_back += refund_some(order, draw)
        assert given_back <= order.total
        left = order.plan().sums
        assert left.given_back == given_back
        assert all(share >= 0 for share in left.shares.values())
        if left.shares:
            assert sum(left.shares.values(), Decimal(0)) == order.total - given_back
            # What one line was given back is never taken from another one.
            assert left.shares == {p: shares[p] - order.given.get(p, Decimal(0)) for p in left.shares}
    else:
        plan = order.plan()
        given_back += sum((item.amount for item in plan.choose(plan.sums.shares)), Decimal(0))
    assert given_back == order.total


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 10**6), st.sampled_from(CURRENCIES), st.data())
def test_pieces_add_up_however_they_are_divided(
    units: int, quantity: int, currency: str, data: st.DataObject
) -> None:
    amount = Decimal(units).scaleb(-minor_units(currency))
    unit, left, rest = Decimal(1).scaleb(-minor_units(currency)), quantity, amount
    for _ in range(20):
        taken = data.draw(st.integers(1, left))
        part = Pieces(rest, currency, left).sum_of(taken)
        assert 0 <= part <= rest and 2 * abs(part * left - rest * taken) <= unit * left
        rest, left = rest - part, left - taken
        if not left:
            assert rest == 0
            return
    assert Pieces(rest, currency, left).sum_of(left) == rest
