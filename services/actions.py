"""Actions: changes that a person asks for, each carried out at most once and recorded in the audit log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Concatenate, Final, NamedTuple, ParamSpec, Protocol, cast
from uuid import UUID

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from db.connections.engine import viewer_transaction
from db.errors import SqlState, sqlstate
from db.schema.audit_actions import AuditAction
from db.schema.portal_tables import action_key
from services.access import Viewer
from services.audit import recording
from services.errors import AccountUnusable, Conflict, SupportError
from services.text.numbers import is_bigint

# Another transaction held its lock for too long, or two waited for each other.
_BUSY: Final = (SqlState.LOCK_NOT_AVAILABLE, SqlState.DEADLOCK_DETECTED, SqlState.QUERY_CANCELED)
# Twice a page's limit: deleting a person's data goes through all texts of all their orders in one statement.
_LONGEST_SECONDS: Final = 30

P = ParamSpec("P")


class OrderBusy(Conflict):
    message = "Somebody else is changing this order right now. Please try again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """The origin of an action, and the order it is about.

    `key` is made once, when the dialog opens: a request with a key that was used before is the same request. `order_id`
    is the order under which the audit log files it, if any; a number that no order can have is omitted there. `run_id`
    is the bulk run that it is part of, if any.
    """

    key: UUID
    address: str | None
    order_id: int | None = None
    run_id: int | None = None

    def __post_init__(self) -> None:
        if self.order_id is not None and not is_bigint(self.order_id):
            object.__setattr__(self, "order_id", None)

    def details(self, details: Mapping[str, object]) -> Mapping[str, object]:
        """The details of the action's audit row."""
        return dict(details) if self.run_id is None else dict(details) | {"run": self.run_id}


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of an action: `sentence` is shown to the person who acted, `details` go into the audit log.

    `order_id` is the order that the action has chosen itself, under which the audit log files it.
    """

    sentence: str
    details: Mapping[str, object] = field(default_factory=dict)
    order_id: int | None = None


class Performed(NamedTuple):
    """The result of an action that was carried out now, or, without details, by an earlier call with the same key."""

    sentence: str
    details: Mapping[str, object]


class Action(Protocol[P]):
    """A service function that changes something, together with the word under which the audit log records it.

    The function takes the connection of the viewer's transaction, the viewer, and arguments of its own.
    """

    audit_action: AuditAction

    def __call__(
        self, connection: Connection, viewer: Viewer, /, *args: P.args, **kwargs: P.kwargs
    ) -> ActionResult: ...


def action(
    audit_action: AuditAction,
) -> Callable[[Callable[Concatenate[Connection, Viewer, P], ActionResult]], Action[P]]:
    """Mark a service function as an action that the audit log records as `audit_action`. It stays the same function."""

    def mark(function: Callable[Concatenate[Connection, Viewer, P], ActionResult]) -> Action[P]:
        marked = cast("Action[P]", function)
        marked.audit_action = audit_action
        return marked

    return mark


def perform(
    viewer: Viewer, request: ActionRequest, action: Action[P], *args: P.args, **kwargs: P.kwargs
) -> str:
    """Carry out `action` in one transaction with its audit row; return the sentence that says what happened.

    Idempotent: a repeated key returns the first call's sentence. A `SupportError` raised by the action undoes
    everything, is recorded as a refused attempt in a transaction of its own, and is raised again; the same applies to
    `OrderBusy`, when the order stayed locked.
    """
    try:
        with viewer_transaction(viewer.account_id, longest_seconds=_LONGEST_SECONDS) as connection:
            if connection.execute(text("SELECT viewer_role()")).scalar_one() is None:
                raise AccountUnusable
            return perform_within(connection, viewer, request, action, *args, **kwargs).sentence
    except SupportError as error:
        _record_refusal(viewer, action.audit_action, request, error)
        raise
    except OperationalError as error:
        if not is_busy(error):
            raise
        busy = OrderBusy()
        _record_refusal(viewer, action.audit_action, request, busy)
        raise busy from error


def perform_within(
    connection: Connection,
    viewer: Viewer,
    request: ActionRequest,
    action: Action[P],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Performed:
    """Carry out `action` in this transaction of the viewer, with its request key and its audit row.

    A repeated key returns the first call's sentence. An error leaves it to the caller to undo everything and to record
    the refusal.
    """
    if not _claim(connection, viewer, action.audit_action, request):
        return Performed(_first_answer(connection, action.audit_action, request), {})
    result = action(connection, viewer, *args, **kwargs)
    recording.record(
        connection,
        viewer,
        action.audit_action,
        address=request.address,
        order_id=request.order_id if result.order_id is None else result.order_id,
        details=request.details(result.details),
    )
    connection.execute(
        update(action_key).where(action_key.c.key == request.key).values(answer=result.sentence)
    )
    return Performed(result.sentence, result.details)


def is_busy(error: OperationalError) -> bool:
    """Whether the order was locked by another transaction for too long."""
    return sqlstate(error) in _BUSY


def _claim(connection: Connection, viewer: Viewer, audit_action: AuditAction, request: ActionRequest) -> bool:
    """False when the key was used before; waits for a transaction that is using it at this moment."""
    claimed = connection.execute(
        insert(action_key)
        .values(
            key=request.key,
            account_id=viewer.account_id,
            action=audit_action,
            order_id=request.order_id,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(action_key.c.key)
    )
    return claimed.first() is not None


def _first_answer(connection: Connection, audit_action: AuditAction, request: ActionRequest) -> str:
    answer = connection.execute(
        select(action_key.c.answer).where(
            action_key.c.key == request.key,
            action_key.c.action == audit_action,
            action_key.c.order_id.is_not_distinct_from(request.order_id),
        )
    ).scalar_one_or_none()
    if answer is None:
        raise Conflict("This request cannot be repeated. Please open the dialog again.")
    return str(answer)


def _record_refusal(
    viewer: Viewer, audit_action: AuditAction, request: ActionRequest, error: SupportError
) -> None:
    recording.record_refusal(viewer, audit_action, error, address=request.address, order_id=request.order_id)
