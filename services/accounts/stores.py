"""Stores and what they allow, for administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select, update

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page, orders, payment_method
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.errors import InvalidInput, NotFound
from services.money_limits import read_cap
from services.time_zones import time_zones

LONGEST_LIMIT_HOURS: Final = 8_760


class StoreNotFound(NotFound):
    message = "There is no such checkout page."


@dataclass(frozen=True, slots=True)
class ListedStore:
    """A store (a checkout page) and its rules.

    With `refund_document_methods` None, the payment method's general rule applies. `refund_four_eyes`: who requested a
    refund does not fulfil it. Above one of `refund_approval_limits` (currency, or "*" for the others: sum) a second
    operator approves. `refund_mail` says whether customers are told of refunds by mail; a refund request that is older
    than `refund_limit_hours` is overdue, none with None.
    """

    id: int
    name: str
    title: str | None
    delivery_allowed: bool
    refund_again_after_partial: bool
    time_zone: str | None
    refund_document_methods: tuple[str, ...] | None
    refund_four_eyes: bool
    refund_approval_limits: Mapping[str, str] | None
    refund_mail: bool
    refund_limit_hours: int | None
    has_orders: bool


def find_stores(connection: Connection, viewer: Viewer) -> tuple[ListedStore, ...]:
    """All stores, by technical name. Raises `NotAllowed`."""
    require_administrator(viewer)
    has_orders = select(orders.c.order_id).where(orders.c.checkout_page_id == checkout_page.c.id).exists()
    plain = [checkout_page.c[name] for name in ListedStore.__slots__ if name != "has_orders"]
    rows = connection.execute(select(*plain, has_orders.label("has_orders")).order_by(checkout_page.c.name))
    return tuple(_store(row) for row in rows.mappings())


def find_payment_methods(connection: Connection, viewer: Viewer) -> tuple[tuple[str, bool], ...]:
    """(name, whether refunds need a document in general), by name. Raises `NotAllowed`."""
    require_administrator(viewer)
    rows = connection.execute(select(payment_method).order_by(payment_method.c.name))
    return tuple((row.name, row.refund_document_required) for row in rows)


@action(AuditAction.CHANGE_STORE)
def change_store(
    connection: Connection,
    viewer: Viewer,
    store_id: int,
    *,
    title: str,
    delivery_allowed: bool,
    refund_again_after_partial: bool,
    time_zone: str | None,
    refund_document_methods: Sequence[str] | None,
    refund_four_eyes: bool,
    refund_approval_limits: str,
    refund_mail: bool,
    refund_limit_hours: int | None,
) -> ActionResult:
    """Set a store's display name and what it allows. Raises `NotAllowed`, `StoreNotFound`, `InvalidInput`.

    `refund_approval_limits` are sums, as `services.money_limits.read_cap` reads them, above which a second operator
    approves a refund; empty for none.
    """
    require_administrator(viewer)
    limits = read_cap(refund_approval_limits, field="refund_approval_limits")
    title = " ".join(title.split())
    if len(title) > 200 or not title.isprintable():
        raise InvalidInput("A display name has at most 200 characters.", field="title")
    if time_zone is not None and time_zone not in time_zones():
        raise InvalidInput("There is no time zone of that name.", field="time_zone")
    if refund_limit_hours is not None and not 1 <= refund_limit_hours <= LONGEST_LIMIT_HOURS:
        raise InvalidInput(
            "The limit goes from one hour to a year (8,760 hours).", field="refund_limit_hours"
        )
    name = connection.execute(
        select(checkout_page.c.name).where(checkout_page.c.id == store_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if name is None:
        raise StoreNotFound
    methods = None if refund_document_methods is None else sorted(set(refund_document_methods))
    values: dict[str, object] = {
        "title": title or None,
        "delivery_allowed": delivery_allowed,
        "refund_again_after_partial": refund_again_after_partial,
        "time_zone": time_zone,
        "refund_document_methods": methods,
        "refund_four_eyes": refund_four_eyes,
        "refund_approval_limits": None if limits is None else limits.to_json(),
        "refund_mail": refund_mail,
        "refund_limit_hours": refund_limit_hours,
    }
    connection.execute(update(checkout_page).where(checkout_page.c.id == store_id).values(**values))
    return ActionResult(f"The checkout page {name} was saved.", {"store": name, **values})


def _store(row: RowMapping) -> ListedStore:
    methods = row["refund_document_methods"]
    return ListedStore(**dict(row) | {"refund_document_methods": None if methods is None else tuple(methods)})
