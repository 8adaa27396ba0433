"""Finding orders: newest first, page by page, with the number found."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Self

from sqlalchemy import Connection

from db.statements import search
from services.access import Viewer
from services.errors import InvalidInput
from services.orders.filters import OrderFilter, searched_values

EXACT_TO = 10_000
_MOST_CODES = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the order of results: everything before it is newer, everything after it older."""

    created_at: datetime
    order_id: int

    def __str__(self) -> str:
        micros = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(struct.pack(">qq", micros, self.order_id)).decode().rstrip("=")

    @classmethod
    def parse(cls, value: str) -> Self:
        """The cursor that `str` wrote; raises `InvalidInput` for anything else."""
        try:
            micros, order_id = struct.unpack(
                ">qq", base64.b64decode(value + "==", altchars=b"-_", validate=True)
            )
            return cls(_EPOCH + timedelta(microseconds=micros), order_id)
        except (ValueError, struct.error, OverflowError) as error:
            raise InvalidInput("This page of results does not exist.") from error


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as a line of the results. Personal values are None when absent and when erased."""

    order_id: int
    order_name: str
    created_at: datetime
    paid_at: datetime | None
    currency: str
    total: Decimal
    status: str
    delivered: bool
    refund_status: str | None
    active_subscription: bool
    cancelled_subscription: bool
    first_name: str | None
    last_name: str | None
    email: str | None
    company_name: str | None
    customer_erased: bool
    store: str


# What the database knows by the name that `OrderRow` gives it: all but the store's name.
STORED_FIELDS: Final = tuple(field.name for field in fields(OrderRow) if field.name != "store")
# Where a row of the statement holds the store's ID: after these fields.
_STORE_ID: Final = len(STORED_FIELDS)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Rows newest first; `next` leads to older ones, `previous` to newer ones, None where there are none.

    `total` is the number of all that match where it is known without counting, else None.
    """

    rows: tuple[OrderRow, ...]
    next: Cursor | None
    previous: Cursor | None
    total: int | None


@dataclass(frozen=True, slots=True)
class OrderCount:
    """The number found; when `is_more`, there are more than that many."""

    number: int
    is_more: bool


def stores_in_scope(viewer: Viewer, order_filter: OrderFilter) -> list[int]:
    """The ids of the stores to search: the viewer's, or those of them that were asked for."""
    wanted = set(order_filter.typed.stores)
    return [store.id for store in viewer.stores if not wanted or store.name in wanted]


def find_orders(
    connection: Connection,
    viewer: Viewer,
    order_filter: OrderFilter,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
    limit: int = 50,
) -> OrderPage:
    """One page of what the filter finds among the viewer's orders, by key and not by offset.

    `after` asks for the older side of a cursor, `before` for the newer side; one of them at most.
    """
    newer = before is not None
    cursor = before or after
    place = (cursor.created_at, cursor.order_id) if cursor else None
    statement, values = search.page_statement(
        _values(connection, order_filter),
        stores_in_scope(viewer, order_filter),
        limit=limit + 1,
        cursor=place,
        newer=newer,
        fields=STORED_FIELDS,
    )
    stores = {store.id: store.name for store in viewer.stores}
    matched: Sequence[Any] = connection.execute(statement, values).all()
    # The statement is made from the names of these fields: an attribute read per cell would cost several times as much.
    rows = [OrderRow(*(*row[:_STORE_ID], stores[row[_STORE_ID]])) for row in matched[:limit]]
    beyond = len(matched) > limit
    if newer:
        rows.reverse()
    total = matched[0].matches if matched else None
    if cursor is None and not beyond:
        total = len(rows)
    if not rows:
        return OrderPage((), None, None, total)
    first, last = (Cursor(row.created_at, row.order_id) for row in (rows[0], rows[-1]))
    has_next = newer or beyond
    has_previous = beyond if newer else cursor is not None
    return OrderPage(tuple(rows), last if has_next else None, first if has_previous else None, total)


def _values(connection: Connection, order_filter: OrderFilter) -> dict[str, Any]:
    """What the filter compares with. The orders with the fragment of a code are looked up first.

    When very many codes contain it, the orders are asked for it one after the other instead, newest first: all of them
    would have to be sorted, to show fifty.
    """
    values = searched_values(order_filter)
    fragment = values.pop("code_fragment", None)
    if fragment is None:
        return values
    found = connection.execute(
        search.code_orders_statement(), {"code_fragment": fragment, "most": _MOST_CODES + 1}
    )
    code_orders = found.scalars().all()
    if len(code_orders) > _MOST_CODES:
        return values | {"common_fragment": fragment}
    return values | {"code_orders": list(set(code_orders))}


def count_orders(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, page: OrderPage | None = None
) -> OrderCount:
    """How many orders match: exact up to 10,000, beyond that 10,000 and more.

    `page` is one of the pages that were found: where it knows the number, nothing has to be counted.
    """
    if page is not None and page.total is not None:
        number = page.total
    else:
        statement, values = search.count_statement(
            _values(connection, order_filter), stores_in_scope(viewer, order_filter), most=EXACT_TO + 1
        )
        number = connection.execute(statement, values).scalar_one()
    return OrderCount(min(number, EXACT_TO), number > EXACT_TO)


def missing_ids(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, first: int = 5
) -> tuple[int, tuple[str, ...]]:
    """How many of the IDs asked for are not among the viewer's orders at all, and the first few of them as typed."""
    asked = order_filter.asked_orders or ()
    known = set(connection.execute(*search.known_statement(asked, viewer.store_ids)).scalars())
    missing = [order.piece for place, order in enumerate(asked, 1) if place not in known]
    return len(missing), tuple(missing[:first])
