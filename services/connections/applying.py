"""The worker's rounds over the inbox: order documents are merged in batches, other messages one by one.

Any number of workers share the messages. A message is locked while it is carried out, and waits while an earlier one of
its order does: so the messages of an order are carried out as they came, and the times in their documents decide what
is newer (docs/decisions/018-what-a-newer-document-changes.md). A worker that dies gives its messages back.
"""

import logging
import threading
from collections import Counter
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from db.connections.engine import jobs_transaction
from db.errors import SqlState, sqlstate, without_values
from db.schema.connection_states import InboxState
from services.connections import waiting
from services.connections.incoming import Kinds, Outcome, WaitingMessage, WrongMessage
from services.connections.order_merging import BUSY, FAILED, merge_messages
from services.errors import SupportError

log = logging.getLogger("esupport.inbox")

_BATCH: Final = 256
# Of other messages, before order documents have their turn again.
_OTHERS: Final = 20
_LOCK_MILLISECONDS: Final = 300
_BUSY: Final = (SqlState.LOCK_NOT_AVAILABLE, SqlState.DEADLOCK_DETECTED)
_SHORTEST_PAUSE: Final = timedelta(milliseconds=200)
_LONGEST_PAUSE: Final = timedelta(seconds=30)
# An order that is busy is waited for; an error of the portal's own does not mend itself.
_MOST_FAILURES: Final = 10


def apply_due(kinds: Kinds, stop: threading.Event | None = None) -> int:
    """Carry out what waits in the inbox until nothing is due or `stop` is set; how many messages were settled."""
    settled = 0
    while not (stop and stop.is_set()):
        outcomes = apply_batch()
        for _ in range(_OTHERS):
            if stop and stop.is_set():
                break
            if not (other := apply_other(kinds)):
                break
            outcomes += other
        if not outcomes:
            break
        settled += sum(outcome.state is not InboxState.WAITING for outcome in outcomes)
    return settled


def apply_batch(most: int = _BATCH) -> list[Outcome]:
    """Merge the order documents that are due, at most so many, in one transaction; empty when none is due."""
    with jobs_transaction() as connection:
        messages = waiting.claim_documents(connection, most)
        outcomes: dict[int, Outcome] = {}
        for wave in _waves(messages):
            outcomes |= merge_messages(connection, _ready(wave, messages, outcomes))
        return _settle(connection, [message for message in messages if message.id in outcomes], outcomes)


def _waves(messages: list[WaitingMessage]) -> list[list[WaitingMessage]]:
    """The first message of each order, the second of each, and so on."""
    waves: list[list[WaitingMessage]] = []
    numbers: Counter[int | None] = Counter()
    for message in messages:
        # One without an order is refused; it has no others to wait for.
        number = numbers[message.order_id] if message.order_id is not None else 0
        numbers[message.order_id] += 1
        if number == len(waves):
            waves.append([])
        waves[number].append(message)
    return waves


def _ready(
    wave: list[WaitingMessage], messages: list[WaitingMessage], outcomes: dict[int, Outcome]
) -> list[WaitingMessage]:
    """Without those whose order has a message that must be tried again."""
    held = {
        message.order_id
        for message in messages
        if message.id in outcomes and outcomes[message.id].state is InboxState.WAITING
    }
    return [message for message in wave if message.order_id not in held]


def apply_other(kinds: Kinds) -> list[Outcome]:
    """Carry out one message that is not an order document; empty when none is due."""
    with jobs_transaction() as connection:
        message = waiting.claim_other(connection)
        if message is None:
            return []
        return _settle(connection, [message], {message.id: _carry_out(connection, kinds, message)})


def _carry_out(connection: Connection, kinds: Kinds, message: WaitingMessage) -> Outcome:
    kind = kinds.get(message.kind) if message.kind else None
    handler = kind.handlers.get(message.type) if kind else None
    if handler is None:
        reason = f"Messages of the type {message.type} mean nothing here."
        return Outcome(InboxState.IGNORED, None, reason)
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_MILLISECONDS}ms'"))
            return handler(connection, message)
    except WrongMessage as error:
        return Outcome(InboxState.REFUSED, error.field, error.reason)
    except SupportError as error:
        return Outcome(InboxState.REFUSED, getattr(error, "field", None), str(error))
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        if sqlstate(error) in _BUSY:
            return Outcome(InboxState.WAITING, None, BUSY)
        log.error("Message %d of the inbox could not be carried out: %s", message.id, without_values(error))
        return Outcome(InboxState.WAITING, None, FAILED)


def _settle(
    connection: Connection, messages: list[WaitingMessage], outcomes: dict[int, Outcome]
) -> list[Outcome]:
    settled = {message.id: _with_pause(message, outcomes[message.id]) for message in messages}
    waiting.settle(connection, settled)
    return list(settled.values())


def _with_pause(message: WaitingMessage, outcome: Outcome) -> Outcome:
    """The outcome, with the time that a message waits for, and the end of a message that fails again and again."""
    if outcome.state is not InboxState.WAITING:
        return outcome
    if outcome.reason == FAILED and message.attempts + 1 >= _MOST_FAILURES:
        return outcome._replace(state=InboxState.REFUSED)
    if outcome.retry_after is not None:
        return outcome
    return outcome._replace(retry_after=min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2 ** min(message.attempts, 10)))
