"""How an action on an order is carried out: once, whole, and on the record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from db.connections.engine import viewer_transaction
from db.schema.tables import action_key
from services.access import Viewer
from services.audit import recording
from services.errors import AccountUnusable, Conflict, SupportError

# Somebody else's lock was kept for too long, or the two of us waited for each other.
_BUSY = ("55P03", "40P01", "57014")
# Twice what a page has: deleting a person's data goes through everything of all their orders in one statement.
_LONGEST_SECONDS = 30


class OrderBusy(Conflict):
    message = "Somebody else is changing this order right now. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What somebody asks for. `key` is made once by the dialog that asks: with the same key it is the same request.

    `order_id` is what the log files it under; a number that no order can have is left out there.
    """

    action: str
    order_id: int | None
    key: UUID
    address: str | None

    def __post_init__(self) -> None:
        if self.order_id is not None and not 0 < self.order_id < 2**63:
            object.__setattr__(self, "order_id", None)


@dataclass(frozen=True, slots=True)
class Done:
    """What happened, in a sentence for who asked; `details` go into the audit log."""

    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)


def perform(viewer: Viewer, request: ActionRequest, work: Callable[[Connection], Done]) -> str:
    """Carries out `work` in one transaction with its audit row and returns the sentence that says what happened.

    A request whose key was used before is not carried out again: it gets the first one's sentence. A `SupportError`
    out of `work` undoes everything, is recorded as a refused attempt in a transaction of its own, and is raised;
    so is `OrderBusy`, when the order stayed locked.
    """
    try:
        with viewer_transaction(viewer.account_id, longest_seconds=_LONGEST_SECONDS) as connection:
            if connection.execute(text("SELECT viewer_role()")).scalar_one() is None:
                raise AccountUnusable
            if not _claim(connection, viewer, request):
                return _first_answer(connection, request)
            done = work(connection)
            recording.record(
                connection,
                viewer,
                request.action,
                address=request.address,
                order_id=request.order_id,
                details=done.details,
            )
            connection.execute(
                update(action_key).where(action_key.c.key == request.key).values(answer=done.sentence)
            )
            return done.sentence
    except SupportError as error:
        _record_refusal(viewer, request, error)
        raise
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) not in _BUSY:
            raise
        busy = OrderBusy()
        _record_refusal(viewer, request, busy)
        raise busy from error


def _claim(connection: Connection, viewer: Viewer, request: ActionRequest) -> bool:
    """False when the key was used before; waits for whoever is using it at this moment."""
    claimed = connection.execute(
        insert(action_key)
        .values(
            key=request.key,
            account_id=viewer.account_id,
            action=request.action,
            order_id=request.order_id,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(action_key.c.key)
    )
    return claimed.first() is not None


def _first_answer(connection: Connection, request: ActionRequest) -> str:
    answer = connection.execute(
        select(action_key.c.answer).where(
            action_key.c.key == request.key,
            action_key.c.action == request.action,
            action_key.c.order_id.is_not_distinct_from(request.order_id),
        )
    ).scalar_one_or_none()
    if answer is None:
        raise Conflict("This request cannot be repeated. Please open the dialog again.")
    return str(answer)


def _record_refusal(viewer: Viewer, request: ActionRequest, error: SupportError) -> None:
    recording.record_refusal(
        viewer, request.action, error, address=request.address, order_id=request.order_id
    )
