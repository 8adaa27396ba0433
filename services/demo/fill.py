"""The demo: stores, teams, accounts and orders to try the portal with."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.schema.account_tables import account, account_page, team, team_member, team_page
from db.schema.order_tables import checkout_page, payment_method
from db.schema.refund_tables import refund_request
from services.access import Role
from services.authentication.passwords import hash_password
from services.demo.orders import DemoOrder, demo_orders
from services.demo.refunds import Person, add_refund_history, add_refund_requests
from services.importing.importer import ImportResult, import_orders

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
    """Make the demo, orders ending with the day before `now` (aware); `progress` is told of orders made.

    What is there already stays. `connection` is a transaction of the jobs' role.
    """
    now = now or datetime.now(UTC)
    stores = _add_stores(connection)
    if not connection.execute(select(account.c.id).where(account.c.email == _ACCOUNTS[0][0])).first():
        _add_people(connection, stores)
    refunds: list[DemoOrder] = []

    def lines() -> Iterator[tuple[int, bytes]]:
        for number, order in enumerate(demo_orders(count, seed=seed, today=now.date()), 1):
            if order.refund is not None:
                refunds.append(order)
            yield number, json.dumps(order.document).encode()

    result = import_orders(connection, lines(), progress=lambda size: progress(1))
    if result.inserted:
        people = _find_people(connection)
        existing = set(connection.execute(select(refund_request.c.order_id)).scalars())
        new = [order for order in refunds if order.document["order_id"] not in existing]
        if len(people) == len(_ACCOUNTS):
            add_refund_requests(connection, new, stores, people)
            add_refund_history(connection, new, stores, people)
    return result


def _add_stores(connection: Connection) -> dict[str, int]:
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


def _find_people(connection: Connection) -> dict[str, Person]:
    """The accounts by the local part of their e-mail; an earlier demo may have made them."""
    rows = connection.execute(
        select(account.c.id, account.c.name, account.c.email).where(
            account.c.email.in_([person[0] for person in _ACCOUNTS])
        )
    )
    return {row.email.split("@")[0]: Person(row.id, row.name, row.email) for row in rows}


def _add_people(connection: Connection, store_ids: dict[str, int]) -> None:
    teams = {}
    for name, stores in _TEAMS.items():
        teams[name] = connection.execute(insert(team).values(name=name).returning(team.c.id)).scalar_one()
        for store in stores:
            connection.execute(
                insert(team_page).values(team_id=teams[name], checkout_page_id=store_ids[store])
            )
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
                insert(account_page).values(account_id=account_id, checkout_page_id=store_ids[store])
            )
