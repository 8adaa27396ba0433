"""Search for orders: newest first, page by page, with the number of all matches."""

import base64
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Self

from sqlalchemy import Connection

from db.statements import search
from db.statements.conditions import SearchValues
from db.statements.rows import column_reader
from services.access import Viewer
from services.errors import InvalidInput
from services.orders.filters import OrderFilter

EXACT_TO: Final = 10_000
_MOST_CODES = 20_000  # with a fragment of a code, looked up before the search
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the results: everything before it is newer, everything after it older."""

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


class OrderRow(NamedTuple):
    """An order as a row of the results. Personal values are None when absent and when erased.

    A NamedTuple takes a tenth of the time of a dataclass, and every page makes fifty.
    """

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


_COLUMNS: Final = tuple(name for name in OrderRow._fields if name != "store")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Rows newest first; `next` leads to older ones, `previous` to newer ones, None where there are none.

    `total` is the number of all orders that match where it is known without counting, else None.
    """

    rows: tuple[OrderRow, ...]
    next: Cursor | None
    previous: Cursor | None
    total: int | None


@dataclass(frozen=True, slots=True)
class OrderCount:
    """The number of orders that match; when `is_more`, there are more than that."""

    number: int
    is_more: bool


def stores_in_scope(viewer: Viewer, order_filter: OrderFilter) -> list[int]:
    """The IDs of the stores to search: the viewer's, or those of them that the search names."""
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
    """One page of the viewer's orders that match, by key and not by offset.

    `after` asks for the older side of a cursor, `before` for the newer side; at most one of them is allowed.
    """
    newer = before is not None
    cursor = before or after
    statement, parameters = search.page_statement(
        _values(connection, order_filter),
        stores_in_scope(viewer, order_filter),
        limit=limit + 1,
        cursor=(cursor.created_at, cursor.order_id) if cursor else None,
        newer=newer,
    )
    result = connection.execute(statement, parameters)
    columns_of = column_reader(result, _COLUMNS)
    stores = {store.id: store.name for store in viewer.stores}
    matches = result.all()
    # The store is the last field of a row, and the only one that is not a column.
    rows = [OrderRow._make((*columns_of(row), stores[row.checkout_page_id])) for row in matches[:limit]]
    beyond = len(matches) > limit
    if newer:
        rows.reverse()
    total = matches[0].match_count if matches else None
    if cursor is None and not beyond:
        total = len(rows)
    if not rows:
        return OrderPage((), None, None, total)
    first, last = (Cursor(row.created_at, row.order_id) for row in (rows[0], rows[-1]))
    has_next = newer or beyond
    has_previous = beyond if newer else cursor is not None
    return OrderPage(tuple(rows), last if has_next else None, first if has_previous else None, total)


def _values(connection: Connection, order_filter: OrderFilter) -> SearchValues:
    """The values that orders are compared with. The orders with the fragment of a code are looked up first.

    When very many codes contain it, each order is checked in turn instead, newest first: otherwise all of them would
    have to be sorted to show fifty.
    """
    values = order_filter.values
    if values.code_fragment is None:
        return values
    code_orders = connection.execute(
        search.code_orders_statement(), {"code_fragment": values.code_fragment, "most": _MOST_CODES + 1}
    ).scalars()
    order_ids = code_orders.all()
    if len(order_ids) > _MOST_CODES:
        return replace(values, code_fragment=None, common_fragment=values.code_fragment)
    return replace(values, code_fragment=None, code_orders=tuple(set(order_ids)))


def count_orders(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, page: OrderPage | None = None
) -> OrderCount:
    """The number of orders that match: exact up to 10,000, beyond that "10,000 and more".

    `page` is a page of the same search; if it holds the number, nothing is counted.
    """
    if page is not None and page.total is not None:
        number = page.total
    else:
        statement, parameters = search.count_statement(
            _values(connection, order_filter), stores_in_scope(viewer, order_filter), most=EXACT_TO + 1
        )
        number = connection.execute(statement, parameters).scalar_one()
    return OrderCount(min(number, EXACT_TO), number > EXACT_TO)


def missing_ids(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, first: int = 5
) -> tuple[int, tuple[str, ...]]:
    """The number of the IDs asked for that are not among the viewer's orders at all, and the first few as typed."""
    asked = order_filter.values.asked_orders or ()
    present = set(connection.execute(*search.asked_statement(asked, viewer.store_ids)).scalars())
    missing = [order.piece for number, order in enumerate(asked, 1) if number not in present]
    return len(missing), tuple(missing[:first])
