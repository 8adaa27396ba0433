"""Finding orders: newest first, page by page, with the number found."""

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import BigInteger, Connection, Integer, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from db import order_statements
from db.tables import orders
from services.access import Viewer
from services.errors import InvalidInput
from services.order_filter import OrderFilter

EXACT_TO = 10_000
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


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Rows newest first; `next` leads to older ones, `previous` to newer ones, None where there are none."""

    rows: tuple[OrderRow, ...]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True, slots=True)
class OrderCount:
    """The number found; when `is_more`, there are more than that many."""

    number: int
    is_more: bool


def pages_in_scope(viewer: Viewer, order_filter: OrderFilter) -> list[int]:
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
    statement = order_statements.page_statement(
        order_filter, pages_in_scope(viewer, order_filter), limit=limit + 1, cursor=place, newer=newer
    )
    stores = {store.id: store.name for store in viewer.stores}
    found = [_row(dict(row), stores) for row in connection.execute(statement).mappings()]
    beyond = len(found) > limit
    rows = found[:limit]
    if newer:
        rows.reverse()
    if not rows:
        return OrderPage((), None, None)
    first, last = (Cursor(row.created_at, row.order_id) for row in (rows[0], rows[-1]))
    has_next = newer or beyond
    has_previous = beyond if newer else cursor is not None
    return OrderPage(tuple(rows), last if has_next else None, first if has_previous else None)


def _row(values: dict[str, Any], stores: dict[int, str]) -> OrderRow:
    return OrderRow(store=stores[values.pop("checkout_page_id")], **values)


def count_orders(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, page: OrderPage | None = None
) -> OrderCount:
    """How many orders match: exact up to 10,000, beyond that 10,000 and more.

    `page` is one of the pages that were found: where it is the only one, nothing has to be counted.
    """
    if page is not None and page.next is None and page.previous is None:
        return OrderCount(len(page.rows), False)
    statement = order_statements.count_statement(
        order_filter, pages_in_scope(viewer, order_filter), most=EXACT_TO + 1
    )
    number = connection.execute(statement).scalar_one()
    return OrderCount(min(number, EXACT_TO), number > EXACT_TO)


def missing_ids(
    connection: Connection, viewer: Viewer, order_filter: OrderFilter, *, first: int = 5
) -> tuple[int, tuple[int, ...]]:
    """How many of the IDs asked for are not among the viewer's orders at all, and the first few of them."""
    asked = order_filter.order_ids or ()
    known = set(
        connection.execute(
            select(orders.c.order_id).where(
                orders.c.order_id == any_(literal(list(asked), ARRAY(BigInteger))),
                orders.c.checkout_page_id == any_(literal(list(viewer.page_ids), ARRAY(Integer))),
            )
        ).scalars()
    )
    missing = [order_id for order_id in asked if order_id not in known]
    return len(missing), tuple(missing[:first])
