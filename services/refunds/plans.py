"""The refund plan of an order: what each line comes to, as a refund operator sees it before confirming."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from db.schema.order_tables import activation_code, checkout_page, order_item, orders
from db.schema.refund_tables import refund_request, refund_request_item
from db.schema.statuses import RefundStatus
from services.errors import InvalidInput
from services.money import format_money
from services.refunds.parts import NO_PARTS, Part, Pieces, WrongPart
from services.refunds.sums import Earlier, Line, RefundSums, refund_sums


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An order item. `share` is what is left of it to refund; None when it cannot be refunded, or was refunded already.

    `code_twins` are the other items of the order that hold one of its live activation codes as well. `given_back` and
    `returned` (a quantity) are what earlier refunds gave back of it in parts.
    """

    position: int
    name: str
    quantity: int
    amount: Decimal
    refunded: bool
    share: Decimal | None
    code_twins: tuple[int, ...]
    item_id: str | None = None
    given_back: Decimal = Decimal(0)
    returned: int = 0

    @property
    def quantity_left(self) -> int:
        """How much of it can still be returned: at least one while something of the line is left."""
        return max(self.quantity - self.returned, 1)

    @property
    def has_parts(self) -> bool:
        """Whether a part of it was given back before."""
        return self.given_back > 0 or self.returned > 0


@dataclass(frozen=True, slots=True)
class RefundedItem:
    """What is refunded; `amount` is what is given back for it, `line` what that cost, in the order's currency.

    `item_id` is the shop's own ID of the item, if it has one. `quantity` is None for a part by amount. `is_whole` says
    whether nothing of the item is left then; `part` names what is refunded where that is not the whole line.
    """

    position: int
    name: str
    quantity: int | None
    amount: Decimal
    line: Decimal
    item_id: str | None = None
    is_whole: bool = True
    part: str = ""


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """`four_eyes`: the store asks that others than the requester fulfil.

    `approval_above` is the sum above which a second operator has to approve; None when no sum needs that.
    """

    sums: RefundSums
    items: tuple[PlannedItem, ...]
    four_eyes: bool = False
    approval_above: Decimal | None = None

    def choose(self, positions: Iterable[int], parts: Mapping[int, Part] = NO_PARTS) -> list[RefundedItem]:
        """The items at these positions, of those in `parts` only that. Raises `InvalidInput` (field `positions`) unless
        all of it can be refunded."""
        wanted = set(positions)
        chosen = [item for item in self.items if item.position in wanted]
        if not wanted:
            raise InvalidInput("Choose at least one item.", field="positions")
        if len(chosen) < len(wanted):
            raise InvalidInput("The order has changed. Please choose the items again.", field="positions")
        if any(item.refunded for item in chosen):
            raise InvalidInput("One of these items has been refunded already.", field="positions")
        if any(item.share is None for item in chosen):
            raise InvalidInput(
                "A discount or a return is not refunded by itself: it is part of what the other items come to.",
                field="positions",
            )
        return [self._refunded(item, parts.get(item.position)) for item in chosen]

    def _refunded(self, item: PlannedItem, part: Part | None) -> RefundedItem:
        currency = self.sums.currency
        share, left = item.share or Decimal(0), item.quantity_left
        pieces = Pieces(share, currency, left)
        amount, quantity = share, left
        try:
            if part is not None and part.amount is not None:
                amount = pieces.checked_amount(part.amount)
                is_whole = amount == share
                if not is_whole:
                    text = f"{format_money(amount, currency)} of {format_money(share, currency)}"
                    return RefundedItem(
                        item.position, item.name, None, amount, amount, item.item_id, False, text
                    )
            elif part is not None and part.quantity is not None:
                quantity = pieces.checked_quantity(part.quantity)
                amount = pieces.sum_of(quantity)
        except WrongPart as error:
            raise InvalidInput(f"Item {item.position}: {error}", field="positions") from error
        # A unit of the currency cannot be divided: the last pieces may come to nothing.
        is_whole = quantity == left or (amount == share and share > 0)
        is_part = item.has_parts or not is_whole
        line = (
            Pieces(item.amount, currency, item.quantity).sum_of(quantity)
            if quantity < item.quantity
            else item.amount
        )
        return RefundedItem(
            item.position,
            item.name,
            quantity,
            amount,
            line,
            item.item_id,
            is_whole,
            f"{quantity} of {item.quantity}" if is_part else "",
        )

    @property
    def is_shared_out(self) -> bool:
        """Whether a share differs from its line: the order has discounts or charges beside its lines."""
        return any(
            item.share is not None and item.share + item.given_back != item.amount for item in self.items
        )

    def needs_approval(self, amount: Decimal) -> bool:
        """Whether a refund of this sum waits for a second operator, as people are told before they press."""
        return self.approval_above is not None and amount > self.approval_above

    def is_full(self, items: Iterable[RefundedItem]) -> bool:
        """Whether nothing of the order is left once these are refunded."""
        return set(self.sums.shares) <= {item.position for item in items if item.is_whole}

    def codes_that_stay(self, positions: set[int]) -> dict[int, tuple[int, ...]]:
        """By chosen item: the items not chosen and not refunded with which one of its codes lives on."""
        open_items = {item.position for item in self.items if not item.refunded} - positions
        twins_by_position = {
            item.position: tuple(twin for twin in item.code_twins if twin in open_items)
            for item in self.items
            if item.position in positions
        }
        return {position: twins for position, twins in twins_by_position.items() if twins}


def find_plan(connection: Connection, order_id: int) -> RefundPlan | None:
    """The plan of an order in scope. Only under the order's lock does it hold until the transaction ends."""
    head = connection.execute(
        select(
            orders.c.total,
            orders.c.currency,
            checkout_page.c.refund_four_eyes,
            checkout_page.c.refund_approval_limits,
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(orders.c.order_id == order_id)
    ).one_or_none()
    if head is None:
        return None
    parts = _parts_of(connection, order_id, head.currency)
    names = ("position", "item_id", "name", "quantity", "amount", "refunded")
    items = connection.execute(
        select(*[order_item.c[name] for name in names])
        .where(order_item.c.order_id == order_id)
        .order_by(order_item.c.position)
    ).all()
    earlier = _earlier(connection, order_id)
    sums = refund_sums(
        head.total,
        head.currency,
        [
            Line(item.position, item.amount, item.refunded, parts.get(item.position, _NO_PART).amount)
            for item in items
        ],
        earlier,
    )
    twins = _code_twins(connection, order_id)
    above = _approval_above(head.refund_approval_limits, head.currency, earlier)
    return RefundPlan(
        sums,
        tuple(
            PlannedItem(
                **item._mapping,
                share=sums.shares.get(item.position),
                code_twins=tuple(sorted(twins[item.position])),
                given_back=parts.get(item.position, _NO_PART).amount,
                returned=parts.get(item.position, _NO_PART).quantity,
            )
            for item in items
        ),
        head.refund_four_eyes,
        above,
    )


def _approval_above(
    limits: Mapping[str, str] | None, currency: str, earlier: Iterable[Earlier]
) -> Decimal | None:
    """The store's limit less what was given back before, as the database's `refund_needs_approval` counts."""
    if limits is None:
        return None
    given_back = sum(
        (refund.amount for refund in earlier if refund.amount is not None and refund.currency == currency),
        Decimal(0),
    )
    return Decimal(limits.get(currency, limits.get("*", "0"))) - given_back


class _Returned(NamedTuple):
    """What earlier refunds gave back of a line."""

    amount: Decimal
    quantity: int


_NO_PART = _Returned(Decimal(0), 0)


def _parts_of(connection: Connection, order_id: int, currency: str) -> dict[int, _Returned]:
    """By position: what completed refunds in the order's currency gave back of it."""
    rows = connection.execute(
        select(
            refund_request_item.c.position,
            func.coalesce(func.sum(refund_request_item.c.amount), 0).label("amount"),
            func.coalesce(func.sum(refund_request_item.c.quantity), 0).label("quantity"),
        )
        .join(refund_request, refund_request.c.id == refund_request_item.c.refund_request_id)
        .where(
            refund_request.c.order_id == order_id,
            refund_request.c.status == RefundStatus.COMPLETED,
            refund_request.c.currency == currency,
        )
        .group_by(refund_request_item.c.position)
    )
    return {row.position: _Returned(row.amount, row.quantity) for row in rows}


def _earlier(connection: Connection, order_id: int) -> list[Earlier]:
    rows = connection.execute(
        select(
            refund_request.c.amount,
            refund_request.c.currency,
            select(func.count())
            .select_from(refund_request_item)
            .where(
                refund_request_item.c.refund_request_id == refund_request.c.id,
                refund_request_item.c.is_whole,
            )
            .scalar_subquery()
            .label("lines"),
        ).where(refund_request.c.order_id == order_id, refund_request.c.status == RefundStatus.COMPLETED)
    )
    return [Earlier(row.amount, row.currency, row.lines) for row in rows]


def _code_twins(connection: Connection, order_id: int) -> defaultdict[int, set[int]]:
    """By item: the other items with a live copy of one of its live codes, compared by the key of search."""
    code, twin = activation_code.alias("code"), activation_code.alias("twin")
    rows = connection.execute(
        select(code.c.position, twin.c.position.label("twin_position"))
        .join(
            twin,
            (twin.c.order_id == code.c.order_id)
            & (twin.c.code_key == code.c.code_key)
            & (twin.c.position != code.c.position),
        )
        .where(code.c.order_id == order_id, ~code.c.deleted, ~twin.c.deleted)
        .distinct()
    )
    twins: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        twins[row.position].add(row.twin_position)
    return twins
