"""The lock on a refund request and its order, and the rules of who may work on it."""

from typing import NamedTuple

from sqlalchemy import Connection, select, update

from db.schema.refund_tables import refund_request
from db.schema.statuses import RefundStatus
from services.access import Permission, Viewer
from services.errors import Conflict, NotFound
from services.order_actions.locking import LockedOrder, lock_orders
from services.order_actions.subscriptions import related_orders


class RequestNotFound(NotFound):
    message = "There is no such refund request among the stores you can see."


class RequestClosed(Conflict):
    message = "This refund request has been closed already."


class RequestNotTaken(Conflict):
    """Another operator works on the request, or nobody does yet."""

    message = "Take the refund request first."


class LockedRequest(NamedTuple):
    """The columns of a refund request that its actions decide by, read under the order's lock."""

    id: int
    status: str
    taken_by: int | None
    taken_by_name: str | None
    requested_by: int | None
    requester_name: str
    requester_email: str


def lock_request(
    connection: Connection, viewer: Viewer, request_id: int, *, with_related: bool = False
) -> tuple[LockedOrder, LockedRequest]:
    """The order, locked, and its open request as read under the lock.

    Locks the orders of `related_orders` as well if `with_related`. Raises `RequestNotFound`, `NotAllowed` and
    `RequestClosed`.
    """
    order_id = None
    if 0 < request_id < 2**63:
        order_id = connection.execute(
            select(refund_request.c.order_id).where(refund_request.c.id == request_id)
        ).scalar_one_or_none()
    if order_id is None:
        raise RequestNotFound
    order_ids = related_orders(connection, order_id) if with_related else [order_id]
    order = lock_orders(connection, viewer, order_ids, Permission.WORK_REFUND_QUEUE)[order_id]
    row = connection.execute(
        select(
            *[refund_request.c[name] for name in LockedRequest._fields],
            refund_request.c.closed_at.is_not(None).label("is_closed"),
        ).where(refund_request.c.id == request_id)
    ).one()
    if row.is_closed:
        raise RequestClosed
    return order, LockedRequest(**{name: getattr(row, name) for name in LockedRequest._fields})


def check_taken(viewer: Viewer, request: LockedRequest) -> None:
    """Raises `RequestNotTaken` unless the viewer has taken the request."""
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken
    if request.taken_by != viewer.account_id:
        raise RequestNotTaken(taken_sentence(viewer, request))


def taken_sentence(viewer: Viewer, request: LockedRequest) -> str:
    if request.taken_by == viewer.account_id:
        return "You have taken this refund request already."
    return f"{request.taken_by_name} is working on this refund request."


def update_request(connection: Connection, request: LockedRequest, **values: object) -> None:
    connection.execute(update(refund_request).where(refund_request.c.id == request.id).values(**values))
