"""Before many orders are acted on: which of them can be, which cannot and why, and how many are too many."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, text

from db.schema.bulk_states import BulkKind
from services.access import Permission, Role, Viewer
from services.bulk.facts import OrderFacts, find_facts
from services.bulk.rules import why_not_done
from services.errors import AccountUnusable, InvalidInput, OrderNotFound
from services.orders.filters import OrderFilter
from services.orders.search import find_orders
from services.text.numbers import is_bigint

# The most orders of one run.
LIMITS: Final[Mapping[Role, int]] = {
    Role.SPECIALIST: 500,
    Role.REFUND_OPERATOR: 5_000,
    Role.ADMINISTRATOR: 5_000,
    Role.ANALYST: 0,
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What one kind of action would do with some orders, as they were when it was asked.

    `able` are the orders that it can be done with, in the order asked for; `unable` the reasons of the others, by order
    ID; `totals` the sums of the able ones by currency.
    """

    kind: BulkKind
    able: tuple[int, ...]
    unable: Mapping[int, str]
    totals: Mapping[str, Decimal]

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why orders cannot be acted on, each with their number, the most frequent reason first."""
        return Counter(self.unable.values()).most_common()


class TooManyOrders(InvalidInput):
    def __init__(self, limit: int) -> None:
        super().__init__(
            f"At most {limit:,} orders can be acted on at once with your role. Please narrow the search."
        )


def require_role(connection: Connection) -> Role:
    """The role of the viewer as the database knows it now; raises `NotAllowed` unless it may act on orders."""
    role = connection.execute(text("SELECT viewer_role()")).scalar_one()
    if role is None:
        raise AccountUnusable
    Permission.ACT.require(Role(role))
    return Role(role)


def check_limit(role: Role, number: int) -> None:
    """Raise `TooManyOrders` for more orders than one run of this role may have."""
    if number > LIMITS[role]:
        raise TooManyOrders(LIMITS[role])


def find_selected(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> tuple[int, ...]:
    """All orders that the search finds, newest first. Raises `NotAllowed`, and `TooManyOrders` when it finds more."""
    role = require_role(connection)
    page = find_orders(connection, viewer, order_filter, limit=LIMITS[role])
    if page.next is not None:
        raise TooManyOrders(LIMITS[role])
    return tuple(row.order_id for row in page.rows)


def preview_orders(
    connection: Connection, viewer: Viewer, order_ids: Sequence[int], *, kind: BulkKind
) -> Preview:
    """What can be done with these orders, by the rules of the single actions. Raises `NotAllowed`, `TooManyOrders`."""
    wanted = [order_id for order_id in dict.fromkeys(order_ids) if is_bigint(order_id)]
    check_limit(require_role(connection), len(wanted))
    facts = find_facts(connection, wanted, kind)
    why_not = {order_id: _why_not(kind, facts.get(order_id)) for order_id in wanted}
    able = tuple(order_id for order_id, reason in why_not.items() if reason is None)
    unable = {order_id: reason for order_id, reason in why_not.items() if reason is not None}
    return Preview(kind, able, unable, _totals(facts[order_id] for order_id in able))


def _why_not(kind: BulkKind, order: OrderFacts | None) -> str | None:
    return OrderNotFound.message if order is None else why_not_done(kind, order)


def _totals(orders: Iterable[OrderFacts]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for order in orders:
        totals[order.currency] = totals.get(order.currency, Decimal()) + order.total
    return totals
