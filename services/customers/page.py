"""The customer's page: every order in scope with the same e-mail, or with the same phone number.

It is reached by an order and never by an address that names a person. The customer of an order whose data was deleted
has no other orders (decision 032).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from db.statements import customer
from db.statements.conditions import SearchValues
from services.access import Viewer
from services.customers.models import (
    CurrencySums,
    CustomerLine,
    CustomerOrder,
    CustomerPage,
    Person,
    Renewal,
    SameBy,
    SoldCode,
    SoldItem,
)
from services.errors import OrderNotFound
from services.orders.filters import OrderFilter, SearchInput
from services.orders.search import Cursor, OrderPage, OrderRow, find_orders
from services.text.numbers import is_bigint

PAGE_ORDERS: Final = 50
COUNTED_TO: Final = 1_000
RENEWALS_SHOWN: Final = 50
LINES_SHOWN: Final = 200
_KEYS: Final[Mapping[SameBy, customer.Key]] = {SameBy.EMAIL: "email_key", SameBy.PHONE: "phone_key"}


def find_customer(
    connection: Connection,
    viewer: Viewer,
    order_id: int,
    *,
    by: SameBy | None = None,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> CustomerPage:
    """The page of the order's customer, in six statements. `after` and `before` turn its orders, fifty at a time.

    By the e-mail where the order has one and nothing else is asked for. Raises `OrderNotFound` for an order that does
    not exist and for one outside the viewer's scope, alike.
    """
    person, keys = _person(connection, viewer, order_id)
    by = by if by in keys else next(iter(keys), None)
    if by is None:
        return CustomerPage(person, None)
    same = {"key": keys[by], "store_ids": list(viewer.store_ids)}
    sums = tuple(
        CurrencySums._make(row) for row in connection.execute(customer.sums_statement(_KEYS[by]), same)
    )
    renewals = connection.execute(
        customer.renewals_statement(_KEYS[by]), same | {"most": RENEWALS_SHOWN}
    ).all()
    page = _page(connection, viewer, person, by, after, before)
    order_ids = [row.order_id for row in page.rows]
    items = _items(connection, order_ids)
    return CustomerPage(
        person,
        by,
        sums,
        tuple(Renewal._make(row[:-1]) for row in renewals),
        renewals[0].number if renewals else 0,
        tuple(CustomerOrder(row, tuple(items[row.order_id])) for row in page.rows),
        _lines(connection, page.rows),
        page.next,
        page.previous,
    )


def _person(connection: Connection, viewer: Viewer, order_id: int) -> tuple[Person, dict[SameBy, str]]:
    """The person behind the order, and the keys by which other orders are compared with it."""
    row = (
        connection.execute(
            customer.person_statement(COUNTED_TO),
            {"order_id": order_id, "store_ids": list(viewer.store_ids)},
        ).one_or_none()
        if is_bigint(order_id)
        else None
    )
    if row is None:
        raise OrderNotFound
    keys = {
        by: value for by, name in _KEYS.items() if (value := row._mapping[name]) and not row.customer_erased
    }
    values = {name: row._mapping[name] for name in Person.__slots__}
    for by, number in ((SameBy.EMAIL, "email_orders"), (SameBy.PHONE, "phone_orders")):
        values[number] = row._mapping[number] + 1 if by in keys else 0
    return Person(**values), keys


def _page(
    connection: Connection,
    viewer: Viewer,
    person: Person,
    by: SameBy,
    after: Cursor | None,
    before: Cursor | None,
) -> OrderPage:
    values = SearchValues(email=person.email) if by is SameBy.EMAIL else SearchValues(phone=person.phone)
    same = OrderFilter(SearchInput(), "UTC", values)
    return find_orders(connection, viewer, same, after=after, before=before, limit=PAGE_ORDERS)


def _items(connection: Connection, order_ids: Sequence[int]) -> Mapping[int, list[SoldItem]]:
    """The items with their codes, by order."""
    items: defaultdict[int, list[SoldItem]] = defaultdict(list)
    codes: defaultdict[tuple[int, int], list[SoldCode]] = defaultdict(list)
    rows = connection.execute(customer.items_statement(), {"order_ids": list(order_ids)}).all()
    for row in rows:
        if row.code is not None:
            codes[row.order_id, row.position].append(SoldCode(row.code, row.deleted))
    for key, row in {(row.order_id, row.position): row for row in rows}.items():
        items[row.order_id].append(SoldItem(row.name, row.quantity, row.refunded, tuple(codes[key])))
    return items


def _lines(connection: Connection, rows: Sequence[OrderRow]) -> tuple[CustomerLine, ...]:
    names = {row.order_id: row.order_name for row in rows}
    lines = connection.execute(customer.lines_statement(), {"order_ids": list(names), "most": LINES_SHOWN})
    return tuple(
        CustomerLine(line.order_id, names[line.order_id], line.at, line.kind, line.text, line.author)
        for line in lines
    )
