"""Changes of subscriptions as they are carried out, under the locks that the decision was made under.

Who may decide, and what is allowed, is in `services.order_actions.subscriptions`.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from db.schema.connection_states import AwaitedKind
from db.schema.connection_tables import awaited_action
from db.schema.order_tables import order_item, orders, subscription, subscription_event
from db.schema.statuses import SUBSCRIPTION_TYPES, MainStatus, SubscriptionAction, SubscriptionStatus
from services.access import Author
from services.events.awaiting import OPEN_STATES
from services.events.event_types import EventType
from services.events.outbox import Value
from services.order_actions.announcements import announce
from services.order_actions.history import Event, add_event
from services.order_actions.locking import LockedOrder

ACTIVE, NOT_PAID, CANCELLED = SubscriptionStatus


class SubscriptionRow(NamedTuple):
    """The columns of a subscription that its actions decide by. `item_id` is the shop's ID of the item, if any.

    `is_awaited` says whether a change of it is recorded that the shop has not confirmed yet.
    """

    checkout_page_id: int
    subscription_id: str
    position: int
    type: str
    status: str
    parent_order_id: int | None
    item_id: str | None
    is_awaited: bool

    def event_data(self) -> dict[str, Value]:
        """The data of its events. The position replaces a missing ID, as in documents."""
        return {"subscription_id": self.subscription_id, "item_id": self.item_id or str(self.position)}


def find_rows(connection: Connection, *conditions: ColumnElement[bool]) -> list[SubscriptionRow]:
    awaited = exists().where(
        awaited_action.c.checkout_page_id == subscription.c.checkout_page_id,
        awaited_action.c.subject == subscription.c.subscription_id,
        awaited_action.c.kind.in_([AwaitedKind.CANCEL_SUBSCRIPTION, AwaitedKind.RESUME_SUBSCRIPTION]),
        awaited_action.c.state.in_(OPEN_STATES),
    )
    own = [name for name in SubscriptionRow._fields if name in subscription.c]
    rows = connection.execute(
        select(
            *[subscription.c[name] for name in own], order_item.c.item_id, awaited.label("is_awaited")
        ).where(
            order_item.c.order_id == subscription.c.order_id,
            order_item.c.position == subscription.c.position,
            *conditions,
        )
    )
    return [SubscriptionRow(**row._mapping) for row in rows]


def related_orders(connection: Connection, order_id: int, positions: list[int] | None = None) -> list[int]:
    """The orders that carry the same subscriptions as this order's items (its own ID included).

    All of them are locked, in one fixed order, before a subscription of any of them changes.
    """
    mine = subscription.alias()
    condition = mine.c.order_id == order_id
    if positions is not None:
        condition &= mine.c.position.in_(positions)
    found = connection.execute(
        select(subscription.c.order_id)
        .join(
            mine,
            (mine.c.checkout_page_id == subscription.c.checkout_page_id)
            & (mine.c.subscription_id == subscription.c.subscription_id),
        )
        .where(condition)
    ).scalars()
    return sorted({order_id, *found})


def carry_out_change(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    row: SubscriptionRow,
    *,
    cancel: bool,
    reason: str,
    confirmed_by: str | None = None,
) -> str:
    """Cancel or resume the subscription and write the order's line; returns the status that it has then.

    The orders of `related_orders` must be locked. `confirmed_by` names the other side whose word this is: it may come
    after a document of the shop has said the same, and then only the line is written.
    """
    status: str = row.status
    if confirmed_by is None or (row.status == CANCELLED) is not cancel:
        status = CANCELLED if cancel else _status_after_resuming(connection, row)
        action = SubscriptionAction.CANCEL if cancel else SubscriptionAction.RESUME
        _change_status(connection, author, order, row, status, action=action, reason=reason)
    add_event(
        connection,
        author,
        order,
        Event.SUBSCRIPTION_CANCELLED if cancel else Event.SUBSCRIPTION_RESUMED,
        subscription=row.subscription_id,
        because=(f", confirmed by {confirmed_by}" if confirmed_by else "") + because(reason),
    )
    return status


def because(reason: str) -> str:
    """The reason as the end of a line of the history."""
    return f". Reason: {reason}" if reason else ""


def stop_subscriptions(
    connection: Connection, author: Author, order: LockedOrder, positions: list[int], *, reason: str
) -> list[str]:
    """Cancel those that these items carry, as part of a refund; the IDs of those that were still on.

    The orders of `related_orders` must be locked. What is sent out says it once more as an event of its own, for the
    connections that are told of subscriptions alone.
    """
    stopped = []
    for row in find_rows(
        connection,
        subscription.c.order_id == order.order_id,
        subscription.c.position.in_(positions),
        subscription.c.type.in_(SUBSCRIPTION_TYPES),
        subscription.c.status != CANCELLED,
    ):
        _change_status(
            connection, author, order, row, CANCELLED, action=SubscriptionAction.STOP, reason=reason
        )
        add_event(
            connection,
            author,
            order,
            Event.SUBSCRIPTION_CANCELLED,
            subscription=row.subscription_id,
            because=" (refund)",
        )
        announce(
            connection,
            EventType.CANCEL_REQUESTED,
            order,
            row.event_data(),
        )
        stopped.append(row.subscription_id)
    return stopped


def _status_after_resuming(connection: Connection, row: SubscriptionRow) -> str:
    unpaid = connection.execute(
        select(func.count())
        .select_from(subscription)
        .join(orders, orders.c.order_id == subscription.c.order_id)
        .where(
            subscription.c.checkout_page_id == row.checkout_page_id,
            subscription.c.subscription_id == row.subscription_id,
            subscription.c.parent_order_id.is_not(None),
            subscription.c.parent_order_id != subscription.c.order_id,
            orders.c.status == MainStatus.NOT_PAID,
        )
    ).scalar_one()
    return NOT_PAID if unpaid else ACTIVE


def _change_status(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    row: SubscriptionRow,
    status: str,
    *,
    action: str,
    reason: str,
) -> None:
    """Change the status in every order with the subscription, so that parent and children agree, and file the event."""
    connection.execute(
        update(subscription)
        .where(
            subscription.c.checkout_page_id == row.checkout_page_id,
            subscription.c.subscription_id == row.subscription_id,
        )
        .values(
            status=status,
            changed_at=func.now(),
            changed_by=author.email,
            change_reason=reason or f"{action.capitalize()} in the support portal",
        )
    )
    connection.execute(
        insert(subscription_event)
        .inline()
        .values(
            checkout_page_id=row.checkout_page_id,
            subscription_id=row.subscription_id,
            action=action,
            from_status=row.status,
            to_status=status,
            order_id=order.order_id,
            account_id=author.account_id,
            changed_by=author.name,
            reason=reason or None,
        )
    )
