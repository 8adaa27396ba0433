"""What the worker does with the inbox: each message is merged in a transaction of its own, order per order.

Any number of workers share the messages. A message is locked while it is merged, and waits while an earlier one of the
same order does: so the messages of an order are merged as they came, and `updated_at` of their documents decides what
is newer (docs/decisions/018-what-a-newer-document-changes.md). A worker that dies gives its message back.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, exists, func, select, text, update
from sqlalchemy.exc import OperationalError

from db.connections.engine import jobs_transaction
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import inbox
from db.schema.order_tables import checkout_page, orders
from services.connections.documents import line_of
from services.connections.inbox import InboxState
from services.connections.messages import MessageType, WrongMessage, read_message
from services.errors import SupportError
from services.importing.importer import import_order

log = logging.getLogger("esupport.inbox")

# An order that a file import or a person holds is tried again soon; others go on.
_LOCK_MILLISECONDS: Final = 300
_BUSY: Final = ("55P03", "40P01")
_LONGEST_PAUSE: Final = timedelta(minutes=5)
_GIVEN_UP_AFTER: Final = 50
FOREIGN_ORDER: Final = "This connection's store has no order with this ID that it could change."


class Outcome(NamedTuple):
    """How a message ended; `field` and `reason` say why it was refused."""

    state: InboxState
    field: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: int
    type: str
    body: bytes
    order_id: int | None
    attempts: int
    store_id: int | None
    store: str | None


def apply_due(stop: threading.Event | None = None) -> int:
    """Merge what waits in the inbox until nothing is due or `stop` is set; how many messages were settled."""
    settled = 0
    while not (stop and stop.is_set()):
        outcome = apply_next()
        if outcome is None:
            break
        settled += outcome.state is not InboxState.WAITING
    return settled


def apply_next() -> Outcome | None:
    """Merge one message; None when none is due. Its outcome is `WAITING` when its order was busy."""
    with jobs_transaction() as connection:
        waiting = _claim(connection)
        if waiting is None:
            return None
        try:
            with connection.begin_nested():
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_MILLISECONDS}ms'"))
                outcome = _apply(connection, waiting)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _BUSY:
                raise
            outcome = Outcome(InboxState.WAITING, None, "Somebody else is changing this order.")
        except WrongMessage as error:
            outcome = Outcome(InboxState.REFUSED, error.field, error.reason)
        except SupportError as error:
            outcome = Outcome(InboxState.REFUSED, getattr(error, "field", None), str(error))
        if outcome.state is InboxState.WAITING and waiting.attempts + 1 >= _GIVEN_UP_AFTER:
            outcome = Outcome(InboxState.REFUSED, None, outcome.reason)
        _record(connection, waiting, outcome)
    return outcome


def _claim(connection: Connection) -> _Waiting | None:
    row = connection.execute(_due()).one_or_none()
    return None if row is None else _Waiting(**row._mapping)


def _due() -> Select[Any]:
    earlier = inbox.alias("earlier")
    store = (
        select(checkout_page.c.name)
        .where(checkout_page.c.id == connection_table.c.checkout_page_id)
        .scalar_subquery()
    )
    return (
        select(
            inbox.c.id,
            inbox.c.type,
            inbox.c.body,
            inbox.c.order_id,
            inbox.c.attempts,
            connection_table.c.checkout_page_id.label("store_id"),
            store.label("store"),
        )
        .select_from(inbox.outerjoin(connection_table, connection_table.c.id == inbox.c.connection_id))
        .where(
            inbox.c.state == InboxState.WAITING,
            inbox.c.next_attempt_at <= func.now(),
            ~exists().where(
                earlier.c.state == InboxState.WAITING,
                earlier.c.order_id == inbox.c.order_id,
                earlier.c.id < inbox.c.id,
            ),
        )
        .order_by(inbox.c.id)
        .limit(1)
        .with_for_update(of=inbox, skip_locked=True)
    )


def _apply(connection: Connection, waiting: _Waiting) -> Outcome:
    message = read_message(waiting.body)
    if message.type == MessageType.ORDER:
        return _merge_order(connection, waiting, message.data)
    return Outcome(InboxState.IGNORED, None, f"Messages of the type {message.type} mean nothing here.")


def _merge_order(connection: Connection, waiting: _Waiting, data: dict[str, Any]) -> Outcome:
    if waiting.store_id is not None and waiting.order_id is not None:
        _require_own(connection, waiting.order_id, waiting.store_id)
    result = import_order(connection, line_of(data).encode())
    return Outcome(InboxState.UNCHANGED if result.unchanged else InboxState.APPLIED)


def _require_own(connection: Connection, order_id: int, store_id: int) -> None:
    """Raise `WrongMessage` for an order of another store."""
    stored = connection.execute(
        select(orders.c.checkout_page_id).where(orders.c.order_id == order_id)
    ).scalar_one_or_none()
    if stored is not None and stored != store_id:
        raise WrongMessage("data.order_id", FOREIGN_ORDER)


def _record(connection: Connection, waiting: _Waiting, outcome: Outcome) -> None:
    values: dict[str, Any] = {"attempts": inbox.c.attempts + 1, "state": outcome.state}
    if outcome.state is InboxState.WAITING:
        values["next_attempt_at"] = func.now() + _pause(waiting.attempts)
    else:
        values["settled_at"] = func.now()
    connection.execute(
        update(inbox)
        .where(inbox.c.id == waiting.id)
        .values(**values, field=outcome.field, reason=outcome.reason)
    )


def _pause(attempts: int) -> timedelta:
    return min(_LONGEST_PAUSE, timedelta(seconds=2.0 ** min(attempts, 10)))
