"""*Take next*: the oldest request that nobody has taken, in one step."""

from typing import Final

from sqlalchemy import Connection, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page, orders
from db.schema.refund_tables import refund_request
from db.schema.statuses import RefundStatus
from services.access import Permission, Viewer
from services.actions import ActionResult, action
from services.errors import Conflict
from services.refunds.processing import take_request
from services.refunds.request_lock import (
    RequestClosed,
    RequestNotFound,
    RequestNotTaken,
    is_own_under_four_eyes,
)

# How often another request is looked for when somebody else was faster.
_TRIES: Final = 5


class NothingToTake(Conflict):
    message = "No refund request is free for you at the moment."


@action(AuditAction.TAKE_REFUND)
def take_next(connection: Connection, viewer: Viewer) -> ActionResult:
    """Take the oldest request in scope that nobody has taken, and that the viewer may fulfil.

    Raises `NotAllowed`, `NothingToTake`. One of the viewer's own is left to others where a store asks for four eyes.

    Two operators who press at once get different requests: an order that somebody holds is passed over, and what was
    taken between the look and the lock is left for the next.
    """
    Permission.WORK_REFUND_QUEUE.require(viewer.role)
    for _ in range(_TRIES):
        row = connection.execute(
            select(refund_request.c.id, refund_request.c.order_id)
            .join(orders, orders.c.order_id == refund_request.c.order_id)
            .join(checkout_page, checkout_page.c.id == refund_request.c.checkout_page_id)
            .where(
                refund_request.c.checkout_page_id
                == any_(literal([store.id for store in viewer.stores], ARRAY(BigInteger))),
                refund_request.c.status == RefundStatus.REQUESTED,
                ~is_own_under_four_eyes(viewer),
                # Of the locked row, which is read again: a request that was taken meanwhile has changed it.
                orders.c.refund_status == RefundStatus.REQUESTED,
            )
            .order_by(refund_request.c.requested_at, refund_request.c.id)
            .limit(1)
            .with_for_update(of=orders, key_share=True, skip_locked=True)
        ).one_or_none()
        if row is None:
            break
        try:
            taken = take_request(connection, viewer, row.id)
        except (RequestNotTaken, RequestClosed, RequestNotFound):
            continue
        return ActionResult(taken.sentence, taken.details, order_id=row.order_id)
    raise NothingToTake


def find_last_taken(connection: Connection, viewer: Viewer) -> int | None:
    """The open request that the viewer has taken last. Raises `NotAllowed`."""
    Permission.WORK_REFUND_QUEUE.require(viewer.role)
    return connection.execute(
        select(refund_request.c.id)
        .where(
            refund_request.c.status == RefundStatus.UPDATING,
            refund_request.c.taken_by == int(viewer.account_id),
        )
        .order_by(refund_request.c.taken_at.desc(), refund_request.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
