"""The reasons for refunds: a list that administrators keep, one for all stores, so that reports can compare them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.refund_tables import refund_reason
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput, NotFound
from services.text.input import REASON_LIMIT, checked_text

LISTED_LIMIT: Final = 100  # characters of a reason of the list


class ReasonNotFound(NotFound):
    message = "There is no such refund reason."


class ReasonExists(Conflict):
    message = "There is a refund reason with these words already."


@dataclass(frozen=True, slots=True)
class RefundReason:
    """A reason of the list. One that is not `in_use` is not offered; requests that have it keep it."""

    id: int
    reason: str
    position: int
    in_use: bool


def find_reasons(connection: Connection, *, only_in_use: bool = False) -> tuple[RefundReason, ...]:
    """The reasons in the order of the list."""
    statement = select(refund_reason).order_by(refund_reason.c.position, refund_reason.c.id)
    if only_in_use:
        statement = statement.where(refund_reason.c.in_use)
    return tuple(RefundReason(**row._mapping) for row in connection.execute(statement))


def reason_text(connection: Connection, reason_id: int | None, own_words: str) -> str:
    """The whole reason of a request: the chosen one, one's own words, or both with a colon between.

    Raises `InvalidInput` (field `reason`) when there is none, it is too long, or the chosen one is no longer offered.
    """
    chosen = None
    if reason_id is not None:
        chosen = connection.execute(
            select(refund_reason.c.reason).where(refund_reason.c.id == reason_id, refund_reason.c.in_use)
        ).scalar_one_or_none()
        if chosen is None:
            raise InvalidInput("This reason is no longer offered. Please choose another one.", field="reason")
    own_words = own_words.strip()
    whole = f"{chosen}: {own_words}" if chosen and own_words else chosen or own_words
    return checked_text(whole, field="reason", name="The reason", limit=REASON_LIMIT)


@action(AuditAction.CREATE_REFUND_REASON)
def create_reason(connection: Connection, viewer: Viewer, *, reason: str) -> ActionResult:
    """Add a reason at the end of the list. Raises `NotAllowed`, `InvalidInput` (field `reason`), `ReasonExists`."""
    require_administrator(viewer)
    reason = _checked(connection, reason)
    last = select(func.coalesce(func.max(refund_reason.c.position), 0) + 1).scalar_subquery()
    connection.execute(insert(refund_reason).values(reason=reason, position=last, in_use=True).inline())
    return ActionResult(f"The refund reason {reason} was added.", {"reason": reason})


@action(AuditAction.CHANGE_REFUND_REASON)
def change_reason(
    connection: Connection, viewer: Viewer, reason_id: int, *, reason: str, position: int, in_use: bool
) -> ActionResult:
    """Set a reason's words, its place in the list (1 is the first) and whether it is offered.

    Requests keep the words that they were made with. Raises `NotAllowed`, `ReasonNotFound`, `InvalidInput` (field
    `reason` or `position`), `ReasonExists`.
    """
    require_administrator(viewer)
    # Two administrators who move reasons at once do not mix the list up.
    listed = connection.execute(
        select(refund_reason.c.id).order_by(refund_reason.c.position, refund_reason.c.id).with_for_update()
    ).scalars()
    others = list(listed)
    if reason_id not in others:
        raise ReasonNotFound
    reason = _checked(connection, reason, except_id=reason_id)
    if not 1 <= position <= len(others):
        raise InvalidInput(f"A place from 1 to {len(others)} is possible.", field="position")
    others.remove(reason_id)
    others.insert(position - 1, reason_id)
    for place, listed_id in enumerate(others, 1):
        connection.execute(
            update(refund_reason)
            .where(refund_reason.c.id == listed_id, refund_reason.c.position != place)
            .values(position=place)
        )
    connection.execute(
        update(refund_reason).where(refund_reason.c.id == reason_id).values(reason=reason, in_use=in_use)
    )
    details = {"reason": reason, "place": position, "offered": in_use}
    return ActionResult(f"The refund reason {reason} was saved.", details)


def _checked(connection: Connection, reason: str, *, except_id: int | None = None) -> str:
    reason = " ".join(
        checked_text(reason, field="reason", name="A refund reason", limit=LISTED_LIMIT).split()
    )
    same = select(refund_reason.c.id).where(func.lower(refund_reason.c.reason) == func.lower(reason))
    if except_id is not None:
        same = same.where(refund_reason.c.id != except_id)
    if connection.execute(same).first() is not None:
        raise ReasonExists
    return reason
