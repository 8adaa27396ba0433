"""The demo: stores, teams, accounts and orders to try the portal with."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from db.schema.statuses import RefundResult, RefundStatus
from db.schema.tables import (
    account,
    account_page,
    checkout_page,
    payment_method,
    refund_request,
    refund_request_item,
    team,
    team_member,
    team_page,
)
from services.access import Role
from services.authentication.passwords import hash_password
from services.demo.orders import DemoOrder, demo_orders
from services.demo.refunds import add_refund_history, note_of, reason_of
from services.importing.importer import ImportResult, import_orders
from services.refunds.sums import Line, refund_sums

PASSWORD: Final = "demo-Portal-1"  # noqa: S105 - public on purpose
# In the last one the shop sends licences itself, so the portal must not.
_STORES: Final = {
    "demo-eu": ("Demo shop, Europe", True),
    "demo-us": ("Demo shop, Americas", True),
    "demo-apac": ("Demo shop, Asia-Pacific", False),
}
_TEAMS: Final[dict[str, tuple[str, ...]]] = {"Europe": ("demo-eu",)}
# (email, name, role, all stores, teams, stores of their own)
_ACCOUNTS: Final[tuple[tuple[str, str, Role, bool, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("admin@demo.example", "Ada Admin", Role.ADMINISTRATOR, False, (), ()),
    ("refunds@demo.example", "Rita Refunds", Role.REFUND_OPERATOR, True, (), ()),
    ("anna@demo.example", "Anna Andersson", Role.SPECIALIST, False, ("Europe",), ()),
    ("boris@demo.example", "Boris Becker", Role.SPECIALIST, False, (), ("demo-us", "demo-apac")),
    ("carla@demo.example", "Carla Costa", Role.ANALYST, False, ("Europe",), ()),
)
_PAYMENT_METHODS: Final = {"CreditCard": False, "PayPal": False, "WireTransfer": True, "PurchaseOrder": True}


def fill_demo(
    connection: Connection,
    count: int,
    *,
    seed: int = 1,
    now: datetime | None = None,
    progress: Callable[[int], object] = lambda number: None,
) -> ImportResult:
    """Makes the demo, orders ending with the day before `now` (aware); `progress` is told of orders made.

    What is there already stays. `connection` is a transaction of the jobs' role.
    """
    now = now or datetime.now(UTC)
    pages = _stores(connection)
    if not connection.execute(select(account.c.id).where(account.c.email == _ACCOUNTS[0][0])).first():
        _people(connection, pages)
    refunds: list[DemoOrder] = []

    def lines() -> Iterator[tuple[int, bytes]]:
        for number, order in enumerate(demo_orders(count, seed=seed, today=now.date()), 1):
            if order.refund is not None:
                refunds.append(order)
            yield number, json.dumps(order.document).encode()

    result = import_orders(connection, lines(), progress=lambda size: progress(1))
    if result.inserted:
        people = _find_people(connection)
        known = set(connection.execute(select(refund_request.c.order_id)).scalars())
        new = [order for order in refunds if order.document["order_id"] not in known]
        if len(people) == len(_ACCOUNTS):
            _refunds(connection, new, pages, people)
            add_refund_history(connection, new, pages, people)
    return result


def _stores(connection: Connection) -> dict[str, int]:
    for name, (title, delivery_allowed) in _STORES.items():
        connection.execute(
            upsert(checkout_page)
            .values(name=name, title=title, delivery_allowed=delivery_allowed)
            .on_conflict_do_nothing(index_elements=["name"])
        )
    for name, required in _PAYMENT_METHODS.items():
        connection.execute(
            upsert(payment_method)
            .values(name=name, refund_document_required=required)
            .on_conflict_do_nothing(index_elements=["name"])
        )
    rows = connection.execute(select(checkout_page.c.name, checkout_page.c.id))
    return {row.name: row.id for row in rows}


def _find_people(connection: Connection) -> dict[str, Any]:
    """The accounts by the first part of their e-mail; another demo may have made them."""
    rows = connection.execute(
        select(account.c.id, account.c.name, account.c.email).where(
            account.c.email.in_([person[0] for person in _ACCOUNTS])
        )
    )
    return {row.email.split("@")[0]: row for row in rows}


def _people(connection: Connection, pages: dict[str, int]) -> None:
    teams = {}
    for name, stores in _TEAMS.items():
        teams[name] = connection.execute(insert(team).values(name=name).returning(team.c.id)).scalar_one()
        for store in stores:
            connection.execute(insert(team_page).values(team_id=teams[name], checkout_page_id=pages[store]))
    password_hash = hash_password(PASSWORD)
    for email, name, role, all_stores, member_of, stores in _ACCOUNTS:
        account_id = connection.execute(
            insert(account)
            .values(
                email=email,
                name=name,
                role=role,
                all_stores=all_stores,
                password_hash=password_hash,
                must_change_password=False,
            )
            .returning(account.c.id)
        ).scalar_one()
        for team_name in member_of:
            connection.execute(insert(team_member).values(team_id=teams[team_name], account_id=account_id))
        for store in stores:
            connection.execute(
                insert(account_page).values(account_id=account_id, checkout_page_id=pages[store])
            )


def _refunds(
    connection: Connection,
    orders: list[DemoOrder],
    store_ids: dict[str, int],
    people: dict[str, Any],
) -> None:
    """What the portal's own tables hold of the refund scenarios."""
    if not orders:
        return
    requests = [_request_row(number, order, store_ids, people) for number, order in enumerate(orders, 1)]
    first_id = connection.execute(text("SELECT coalesce(max(id), 0) FROM refund_request")).scalar_one()
    connection.execute(insert(refund_request), requests)
    made = connection.execute(
        select(refund_request.c.id, refund_request.c.order_id, refund_request.c.checkout_page_id).where(
            refund_request.c.id > first_id
        )
    ).all()
    by_order = {row.order_id: row for row in made}
    items = [
        {
            "refund_request_id": request.id,
            "order_id": request.order_id,
            "checkout_page_id": request.checkout_page_id,
            "position": position,
            "quantity": order.document["items"][position - 1]["quantity"],
            "amount": amount,
        }
        for order in orders
        if order.refund in _COMPLETED
        for request in [by_order[order.document["order_id"]]]
        for position, amount in _shares(order.document).items()
    ]
    if items:
        connection.execute(insert(refund_request_item), items)


_COMPLETED: Final = (RefundResult.FULL, RefundResult.PARTIAL)
_SET_LATER: Final = (
    *("taken_by", "taken_by_name", "taken_at", "closed_by", "closed_by_name", "closed_at"),
    *("result", "note", "amount", "currency"),
)


def _request_row(
    number: int, order: DemoOrder, store_ids: dict[str, int], people: dict[str, Any]
) -> dict[str, Any]:
    """One refund request in the state that its scenario has come to."""
    document, operator = order.document, people["refunds"]
    store = document["checkout_page"]
    requester = people["anna" if store == "demo-eu" else "boris"]
    row: dict[str, Any] = dict.fromkeys(_SET_LATER) | {
        "order_id": document["order_id"],
        "checkout_page_id": store_ids[store],
        "reason": reason_of(number),
        "requested_by": requester.id,
        "requester_name": requester.name,
        "requester_email": requester.email,
        "requested_at": order.requested_at,
        "status": RefundStatus.REQUESTED,
        "delete_codes": False,
    }
    if order.refund != RefundStatus.REQUESTED:
        row |= {
            "status": RefundStatus.UPDATING,
            "taken_by": operator.id,
            "taken_by_name": operator.name,
            "taken_at": order.taken_at,
        }
    if order.refund in tuple(RefundResult):
        is_done = order.refund in _COMPLETED
        row |= {
            "status": RefundStatus.COMPLETED if is_done else RefundStatus.REFUSED,
            "result": order.refund,
            "closed_by": operator.id,
            "closed_by_name": operator.name,
            "closed_at": order.closed_at,
            "note": note_of(order),
            "delete_codes": is_done,
        }
        if is_done:
            row |= {"amount": sum(_shares(document).values()), "currency": document["currency"]}
    return row


def _shares(document: dict[str, Any]) -> dict[int, Decimal]:
    """What a refund of the refunded items came to, by position."""
    lines = [Line(place, Decimal(item["amount"])) for place, item in enumerate(document["items"], 1)]
    total = sum((line.amount for line in lines), Decimal(0))
    sums = refund_sums(Decimal(document.get("total") or total), document["currency"], lines)
    return {
        line.position: sums.shares[line.position]
        for line in lines
        if document["items"][line.position - 1]["refunded"]
    }
