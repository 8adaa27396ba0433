"""Choosing what to refund of an order: lines, and of a line a quantity or an amount."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import streamlit as st

from pages.components.layout.dialogs import field_key
from pages.rendering.escaping import label_text, markdown_text
from services.errors import InvalidInput
from services.money import format_money
from services.refunds.parts import Part
from services.refunds.plans import PlannedItem, RefundedItem, RefundPlan

_NAME_LENGTH = 200  # characters of a product's name; the page behind the dialog shows it whole


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen: `items` as they would be refunded; `problem` is why they cannot, in a sentence."""

    positions: list[int]
    parts: dict[int, Part]
    items: list[RefundedItem]
    problem: str | None = None

    @property
    def amount(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0))


def choose_lines(plan: RefundPlan, proposed: Mapping[int, Part | None]) -> Choice:
    """Draw the order's lines, all ticked, or those that were proposed; what is ticked now.

    Outside of a form, so that the sum follows each tick.
    """
    by_parts = False
    if any(item.share for item in plan.items):
        by_parts = st.toggle(
            "A part of a line: by quantity or by amount",
            value=any(proposed.values()),
            key=field_key("by_parts"),
        )
    positions: list[int] = []
    parts: dict[int, Part] = {}
    problem = None
    for item in plan.items:
        is_ticked = st.checkbox(
            label_text(_label(item, plan.sums.currency)),
            value=item.share is not None and (not proposed or item.position in proposed),
            disabled=item.share is None,
            key=field_key(f"item_{item.position}"),
        )
        if not is_ticked or item.share is None:
            continue
        positions.append(item.position)
        if by_parts and item.share > 0:
            part, why = _part(item, plan.sums.currency, proposed.get(item.position))
            problem = problem or why
            if part is not None:
                parts[item.position] = part
    if not positions or problem is not None:
        return Choice(positions, parts, [], problem)
    try:
        return Choice(positions, parts, plan.choose(positions, parts))
    except InvalidInput as error:
        return Choice(positions, parts, [], str(error))


def _label(item: PlannedItem, currency: str) -> str:
    amount = format_money(item.amount, currency)
    share = None if item.share is None else format_money(item.share, currency)
    name = item.name if len(item.name) <= _NAME_LENGTH else f"{item.name[: _NAME_LENGTH - 1]}…"
    if share is None:
        return f"{item.position}  {name}, {amount}"
    left = f"{item.position}  {name}, {share}"
    if item.has_parts:
        return f"{left} left of {amount}"
    return left if share == amount else f"{left} (line {amount})"


def _part(item: PlannedItem, currency: str, proposed: Part | None) -> tuple[Part | None, str | None]:
    """Draw the fields of a ticked line; the part that they say, and why that cannot be read."""
    with st.container(
        horizontal=True, gap="small", vertical_alignment="bottom", key=field_key(f"part_{item.position}")
    ):
        quantity = item.quantity_left
        if item.quantity_left > 1:
            quantity = st.number_input(
                f"Quantity of item {item.position} (of {item.quantity_left:,})",
                min_value=1,
                max_value=item.quantity_left,
                value=min(proposed.quantity, item.quantity_left)
                if proposed is not None and proposed.quantity is not None
                else item.quantity_left,
                key=field_key(f"quantity_{item.position}"),
            )
        typed = st.text_input(
            f"Amount of item {item.position} ({currency})",
            value="" if proposed is None or proposed.amount is None else f"{proposed.amount:f}",
            placeholder="in place of the quantity" if item.quantity_left > 1 else "all of it",
            key=field_key(f"amount_{item.position}"),
        )
    if text := (typed or "").replace(" ", ""):
        try:
            return Part(amount=Decimal(text)), None
        except InvalidOperation:
            return None, f"Item {item.position}: give an amount such as 12.50."
    return Part(quantity=quantity), None


def draw_problem(choice: Choice) -> None:
    if choice.problem is not None:
        st.error(markdown_text(choice.problem))
