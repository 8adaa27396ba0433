"""The lock on a refund request and its order, and the rules of who may work on it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, cast, exists, select, update

from db.schema.connection_states import AwaitedKind
from db.schema.connection_tables import awaited_action
from db.schema.order_tables import checkout_page
from db.schema.refund_tables import refund_request
from db.schema.statuses import RefundStatus
from services.access import Permission, Viewer
from services.errors import Conflict, NotFound
from services.events.awaiting import OPEN_STATES
from services.order_actions.locking import LockedOrder, lock_orders
from services.order_actions.subscription_changes import related_orders
from services.refunds.decisions import Decision


class RequestNotFound(NotFound):
    message = "There is no such refund request among the stores you can see."


class RequestClosed(Conflict):
    message = "This refund request has been closed already."


class RequestNotTaken(Conflict):
    """Another operator works on the request, or nobody does yet."""

    message = "Take the refund request first."


class RequestAwaited(Conflict):
    """Nobody can take or close the request until the answer is there."""

    message = "This refund has been recorded and waits to be confirmed. Until then nothing can be changed."


class RequestDecided(Conflict):
    """Nobody can take, change or close the request until the second operator or its decider has spoken."""

    message = "This refund has been decided and waits for the approval of a second operator."


class FourEyes(Conflict):
    message = "You requested this refund. In this store another operator has to fulfil it."


# The columns of a decision, emptied.
NO_DECISION: Final[Mapping[str, None]] = MappingProxyType(
    dict.fromkeys(
        (
            *("decision", "decided_by", "decided_by_name", "decided_at"),
            *("approved_by", "approved_by_name", "approved_at"),
        )
    )
)


class LockedRequest(NamedTuple):
    """The columns of a refund request that its actions decide by, read under the order's lock.

    `is_awaited` says whether a refund of it is recorded that the other side has not confirmed yet. `decision` is what
    the first operator decided, `note` what they said to it.
    """

    id: int
    status: str
    taken_by: int | None
    taken_by_name: str | None
    requested_by: int | None
    requester_name: str
    requester_email: str
    note: str | None
    decision: Decision | None
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    approved_by_name: str | None
    is_awaited: bool

    @property
    def waits_for_approval(self) -> bool:
        return self.decision is not None and self.approved_by_name is None


def is_awaited() -> ColumnElement[bool]:
    """Whether the answer to a refund of the statement's `refund_request` is still to come."""
    return exists().where(
        awaited_action.c.checkout_page_id == refund_request.c.checkout_page_id,
        awaited_action.c.kind == AwaitedKind.REFUND,
        awaited_action.c.subject == cast(refund_request.c.id, Text),
        awaited_action.c.state.in_(OPEN_STATES),
    )


def waits_for_approval() -> ColumnElement[bool]:
    """Whether the statement's `refund_request` is decided and waits for a second operator."""
    return refund_request.c.decision.is_not(None) & refund_request.c.approved_by_name.is_(None)


def is_own_under_four_eyes(viewer: Viewer) -> ColumnElement[bool]:
    """Whether the viewer requested the statement's `refund_request` in a store where others have to fulfil it.

    The statement joins `checkout_page`.
    """
    return checkout_page.c.refund_four_eyes & refund_request.c.requested_by.is_not_distinct_from(
        int(viewer.account_id)
    )


def lock_request(
    connection: Connection,
    viewer: Viewer,
    request_id: int,
    *,
    with_related: bool = False,
    may_be_decided: bool = False,
) -> tuple[LockedOrder, LockedRequest]:
    """The order, locked, and its open request as read under the lock.

    Locks the orders of `related_orders` as well if `with_related`. Raises `RequestNotFound`, `NotAllowed`,
    `RequestClosed`, `RequestAwaited`, and `RequestDecided` unless `may_be_decided`.
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
    request = find_open_request(connection, request_id)
    if request is None:
        raise RequestClosed
    if request.is_awaited:
        raise RequestAwaited
    if request.waits_for_approval and not may_be_decided:
        raise RequestDecided
    return order, request


def find_open_request(connection: Connection, request_id: int) -> LockedRequest | None:
    """The request as read under its order's lock; None when it is closed or gone."""
    row = connection.execute(
        select(
            *[refund_request.c[name] for name in LockedRequest._fields if name != "is_awaited"],
            is_awaited().label("is_awaited"),
        ).where(refund_request.c.id == request_id, refund_request.c.closed_at.is_(None))
    ).one_or_none()
    return None if row is None else LockedRequest(**row._mapping)


def check_taken(viewer: Viewer, request: LockedRequest) -> None:
    """Raises `RequestNotTaken` unless the viewer has taken the request."""
    if request.status != RefundStatus.UPDATING:
        raise RequestNotTaken
    if request.taken_by != viewer.account_id:
        raise RequestNotTaken(taken_sentence(viewer, request))


def check_four_eyes(viewer: Viewer, order: LockedOrder, request: LockedRequest) -> None:
    """Raises `FourEyes` when the store wants somebody else than the requester. The database has the last word."""
    if order.refund_four_eyes and request.requested_by == viewer.account_id:
        raise FourEyes


def taken_sentence(viewer: Viewer, request: LockedRequest) -> str:
    if request.taken_by == viewer.account_id:
        return "You have taken this refund request already."
    return f"{request.taken_by_name} is working on this refund request."


def update_request(connection: Connection, request: LockedRequest, **values: object) -> None:
    connection.execute(update(refund_request).where(refund_request.c.id == request.id).values(**values))
