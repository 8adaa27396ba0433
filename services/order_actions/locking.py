"""The way to an order for those who change it: the right first, then the row's lock, then its state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Connection, any_, exists, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import checkout_page, orders
from services.access import Permission, Role, Viewer
from services.errors import AccountUnusable, OrderNotFound
from services.text.numbers import is_bigint


@dataclass(frozen=True, slots=True)
class LockedOrder:
    """An order, locked against changes by others, with what its store allows.

    `is_connected` says whether the store has a connection: without one, nobody is told or asked about an action.
    `refund_mail` says whether the store tells customers of their refunds; `locale` is the language of the order.
    """

    order_id: int
    checkout_page_id: int
    order_name: str
    status: str
    created_at: datetime
    paid_at: datetime | None
    total: Decimal
    currency: str
    detail_url: str | None
    page_key: UUID
    email: str | None
    first_name: str | None
    last_name: str | None
    company_name: str | None
    customer_erased: bool
    payment_method: str | None
    payment_provider: str | None
    payment_reference: str | None
    refund_status: str | None
    locale: str | None
    store: str
    store_title: str | None
    delivery_allowed: bool
    refund_again_after_partial: bool
    refund_four_eyes: bool
    refund_mail: bool
    is_connected: bool

    @property
    def customer_name(self) -> str | None:
        return " ".join(filter(None, (self.first_name, self.last_name))) or None


# Fields that are not columns of `orders`.
_OF_STORE: Final = frozenset(
    (
        "store",
        "store_title",
        "delivery_allowed",
        "refund_again_after_partial",
        "refund_mail",
        "refund_four_eyes",
        "is_connected",
    )
)


def lock_order(
    connection: Connection, viewer: Viewer, order_id: int, permission: Permission = Permission.ACT
) -> LockedOrder:
    """The order, locked until the transaction ends: what is read afterwards cannot change meanwhile.

    Raises `OrderNotFound` for one that does not exist or is foreign, alike; `NotAllowed` for a role without the right,
    as the database knows it now. A lock that somebody else keeps for too long becomes `OrderBusy` in
    `services.actions`.
    """
    return lock_orders(connection, viewer, [order_id], permission)[order_id]


def lock_orders(
    connection: Connection, viewer: Viewer, order_ids: Iterable[int], permission: Permission = Permission.ACT
) -> dict[int, LockedOrder]:
    """The same for several orders, always locked by rising ID so that two people cannot wait for each other."""
    wanted = sorted(set(order_ids))
    if not all(is_bigint(order_id) for order_id in wanted):
        raise OrderNotFound
    role = connection.execute(text("SELECT viewer_role()")).scalar_one()
    if role is None:
        raise AccountUnusable
    among = orders.c.order_id == any_(literal(wanted, ARRAY(BigInteger)))
    seen = connection.execute(select(orders.c.order_id).where(among)).scalars().all()
    if len(seen) < len(wanted):
        raise OrderNotFound
    permission.require(Role(role))
    locked = lock_order_rows(connection, wanted)
    if len(locked) < len(wanted):  # gone, or moved to another store, since the look before
        raise OrderNotFound
    return locked


def lock_order_rows(connection: Connection, order_ids: Iterable[int]) -> dict[int, LockedOrder]:
    """Those of the orders that the transaction's role can see, locked by rising ID until the transaction ends.

    By itself for jobs alone: for people `lock_orders` asks for the permission first.
    """
    wanted = sorted(set(order_ids))
    fields = [orders.c[name] for name in LockedOrder.__slots__ if name not in _OF_STORE]
    rows = connection.execute(
        select(
            *fields,
            checkout_page.c.name.label("store"),
            checkout_page.c.title.label("store_title"),
            checkout_page.c.delivery_allowed,
            checkout_page.c.refund_again_after_partial,
            checkout_page.c.refund_four_eyes,
            checkout_page.c.refund_mail,
            exists(connection_table.c.id)
            .where(connection_table.c.checkout_page_id == orders.c.checkout_page_id)
            .label("is_connected"),
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .where(orders.c.order_id == any_(literal(wanted, ARRAY(BigInteger))))
        .order_by(orders.c.order_id)
        # Other rows may go on referring to the order meanwhile; only its changes have to wait.
        .with_for_update(of=orders, key_share=True)
    ).all()
    return {row.order_id: LockedOrder(**row._mapping) for row in rows}
