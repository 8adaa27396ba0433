"""Messages received by a connection, for administrators: the list, one message (masked), and applying replay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnClause, ColumnElement, Connection, Label, Row, func, select, update

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import InboxState
from db.schema.connection_tables import inbox
from services.access import Viewer, require_administrator
from services.actions import ActionResult, action
from services.audit import recording
from services.connections.masking import masked_body
from services.errors import Conflict, InvalidInput, NotFound

PAGE: Final = 50
MOST_AT_ONCE: Final = 10_000
# What can be applied again; a message that waits is going to be.
SETTLED: Final = tuple(state for state in InboxState if state is not InboxState.WAITING)


class MessageNotFound(NotFound):
    message = "There is no such message."


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message as it arrived; `event_id` is the sender's own ID, `occurred_at` the sender's time.

    `connection_id` is None for one that a shop put in through the database. Without `has_body` it was removed, with its
    person's data or because of its age.
    """

    id: int
    connection_id: int | None
    event_id: str
    type: str
    order_id: int | None
    occurred_at: datetime | None
    received_at: datetime
    state: InboxState
    field: str | None
    reason: str | None
    attempts: int
    next_attempt_at: datetime
    settled_at: datetime | None
    has_body: bool


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message with its body: `body` is masked, None when it was removed or is not JSON. `size` is in bytes."""

    message: LoggedMessage
    size: int | None
    body: str | None


def find_messages(
    connection: Connection,
    viewer: Viewer,
    connection_id: int | None,
    *,
    state: InboxState | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[LoggedMessage, ...]:
    """A connection's messages, newest first; `before` (an ID) goes on where an earlier page ended. Raises `NotAllowed`.

    Those of no connection with `connection_id` None.
    """
    require_administrator(viewer)
    statement = select(*_columns()).where(_of(connection_id)).order_by(inbox.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(inbox.c.state == state)
    if before is not None:
        statement = statement.where(inbox.c.id < before)
    return tuple(_logged(row) for row in connection.execute(statement))


def get_message(
    connection: Connection, viewer: Viewer, message_id: int, *, address: str | None
) -> OpenedMessage:
    """One message with its masked body, and the audit row that says who has read it.

    Raises `NotAllowed`, `MessageNotFound`.
    """
    require_administrator(viewer)
    row = connection.execute(select(*_columns(), inbox.c.body).where(inbox.c.id == message_id)).one_or_none()
    if row is None:
        raise MessageNotFound
    recording.record(
        connection,
        viewer,
        AuditAction.OPEN_MESSAGE,
        address=address,
        order_id=row.order_id,
        details={"message": message_id, "type": row.type},
    )
    body = None if row.body is None else bytes(row.body)
    return OpenedMessage(
        _logged(row), None if body is None else len(body), None if body is None else masked_body(body)
    )


@action(AuditAction.REPLAY_MESSAGES)
def replay_message(connection: Connection, viewer: Viewer, message_id: int) -> ActionResult:
    """Apply one message again. Raises `NotAllowed`, `MessageNotFound`, `Conflict` for one without a body."""
    require_administrator(viewer)
    row = connection.execute(
        select(inbox.c.state, inbox.c.body.is_not(None).label("has_body")).where(inbox.c.id == message_id)
    ).one_or_none()
    if row is None:
        raise MessageNotFound
    if not row.has_body:
        raise Conflict("The text of this message was removed; there is nothing to apply again.")
    if row.state == InboxState.WAITING:
        raise Conflict("This message waits to be applied already.")
    _requeue(connection, [message_id])
    return ActionResult("The message will be applied again.", {"messages": [message_id]})


@action(AuditAction.REPLAY_MESSAGES)
def replay_messages(
    connection: Connection,
    viewer: Viewer,
    connection_id: int | None,
    *,
    states: Collection[InboxState],
    since: datetime,
    until: datetime,
) -> ActionResult:
    """Apply the messages of these states again that arrived between the two times (aware; `until` is not included).

    The oldest 10,000 at once. Raises `NotAllowed`, `InvalidInput` (fields `states`, `until`), `Conflict` when there
    is none.
    """
    require_administrator(viewer)
    wanted = [state for state in SETTLED if state in states]
    if not wanted:
        raise InvalidInput("Choose which messages to apply again.", field="states")
    if since >= until:
        raise InvalidInput("The end must be after the beginning.", field="until")
    ids = (
        connection.execute(
            select(inbox.c.id)
            .where(
                _of(connection_id),
                inbox.c.state.in_(wanted),
                inbox.c.received_at >= since,
                inbox.c.received_at < until,
                inbox.c.body.is_not(None),
            )
            .order_by(inbox.c.id)
            .limit(MOST_AT_ONCE + 1)
        )
        .scalars()
        .all()
    )
    if not ids:
        raise Conflict("There is no such message in this time.")
    number = _requeue(connection, ids[:MOST_AT_ONCE])
    more = " There are more; repeat this for the rest." if len(ids) > MOST_AT_ONCE else ""
    return ActionResult(
        f"{number:,} {'message' if number == 1 else 'messages'} will be applied again.{more}",
        {
            "connection": connection_id,
            "states": wanted,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "messages": number,
        },
    )


def _requeue(connection: Connection, ids: Sequence[int]) -> int:
    """Let messages that are settled wait again; how many they were."""
    return connection.execute(
        update(inbox)
        .where(inbox.c.id.in_(ids), inbox.c.state != InboxState.WAITING, inbox.c.body.is_not(None))
        .values(
            state=InboxState.WAITING,
            attempts=0,
            next_attempt_at=func.now(),
            settled_at=None,
            field=None,
            reason=None,
        )
    ).rowcount


def _of(connection_id: int | None) -> ColumnElement[bool]:
    return (
        inbox.c.connection_id.is_(None) if connection_id is None else inbox.c.connection_id == connection_id
    )


def _columns() -> list[ColumnClause[object] | Label[bool]]:
    plain = [inbox.c[name] for name in LoggedMessage.__slots__ if name != "has_body"]
    return [*plain, inbox.c.body.is_not(None).label("has_body")]


def _logged(row: Row[*tuple[object, ...]]) -> LoggedMessage:
    values = {name: getattr(row, name) for name in LoggedMessage.__slots__}
    return LoggedMessage(**values | {"state": InboxState(row.state)})
