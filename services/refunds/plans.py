"""The refund plan of an order: what each line comes to, as a refund operator sees it before confirming."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, select

from db.schema.order_tables import activation_code, order_item, orders
from db.schema.refund_tables import refund_request, refund_request_item
from db.schema.statuses import RefundStatus
from services.errors import InvalidInput
from services.refunds.sums import Earlier, Line, RefundSums, refund_sums


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An order item. `share` is what a refund of it comes to; None when it cannot be refunded, or was refunded already.

    `code_twins` are the other items of the order that hold one of its live activation codes as well.
    """

    position: int
    name: str
    quantity: int
    amount: Decimal
    refunded: bool
    share: Decimal | None
    code_twins: tuple[int, ...]
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefundedItem:
    """An item to be refunded; `amount` is what is given back for it, `line` what it cost, in the order's currency.

    `item_id` is the shop's own ID of the item, if it has one.
    """

    position: int
    name: str
    quantity: int
    amount: Decimal
    line: Decimal
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefundPlan:
    sums: RefundSums
    items: tuple[PlannedItem, ...]

    def choose(self, positions: Iterable[int]) -> list[RefundedItem]:
        """The items at these positions. Raises `InvalidInput` (field `positions`) unless all can be refunded."""
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
        return [
            RefundedItem(item.position, item.name, item.quantity, item.share, item.amount, item.item_id)
            for item in chosen
            if item.share is not None
        ]

    @property
    def is_shared_out(self) -> bool:
        """Whether a share differs from its line: the order has discounts or charges beside its lines."""
        return any(item.share is not None and item.share != item.amount for item in self.items)

    def lines_of(self, positions: Iterable[int]) -> Decimal:
        """The sum of these items' lines, before discounts and charges of the whole order."""
        wanted = set(positions)
        return sum((item.amount for item in self.items if item.position in wanted), Decimal(0))

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
        select(orders.c.total, orders.c.currency).where(orders.c.order_id == order_id)
    ).one_or_none()
    if head is None:
        return None
    items = connection.execute(
        select(
            *[
                order_item.c[name]
                for name in ("position", "item_id", "name", "quantity", "amount", "refunded")
            ]
        )
        .where(order_item.c.order_id == order_id)
        .order_by(order_item.c.position)
    ).all()
    sums = refund_sums(
        head.total,
        head.currency,
        [Line(item.position, item.amount, item.refunded) for item in items],
        _earlier(connection, order_id),
    )
    twins = _code_twins(connection, order_id)
    return RefundPlan(
        sums,
        tuple(
            PlannedItem(
                **item._mapping,
                share=sums.shares.get(item.position),
                code_twins=tuple(sorted(twins[item.position])),
            )
            for item in items
        ),
    )


def _earlier(connection: Connection, order_id: int) -> list[Earlier]:
    rows = connection.execute(
        select(
            refund_request.c.amount,
            refund_request.c.currency,
            select(func.count())
            .select_from(refund_request_item)
            .where(refund_request_item.c.refund_request_id == refund_request.c.id)
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
