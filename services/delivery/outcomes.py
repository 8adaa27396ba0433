"""The fate of a delivery after an attempt: delivered, tried again, or given up; and of the action that it carried.

The transactions here are short and begin after the other side has answered.
"""

import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, text, update

from db.schema.connection_states import DeliveryState
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import delivery
from services.connections.answers import ActionAnswer, give_up, settle
from services.delivery.due import WEBHOOKS, DueDelivery, release
from services.delivery.trouble_mails import report_given_up, report_switched_off
from services.delivery.webhooks import Delivered, Gone
from services.events.awaiting import mark_sent
from services.executors.interface import Accepted, NotSent, Refused, Result, Succeeded, TryLater

log = logging.getLogger("esupport.worker")

# The pauses before the second and each further attempt, in seconds. After the last one, a delivery is given up.
PAUSES: Final = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
SWITCHED_OFF_BY_SHOP: Final = "The shop answered that this address is gone (410)."
GIVEN_UP_BEFORE: Final = "Not sent: the action was given up before."
UNPROCESSED: Final = "The answer could not be processed here. The worker's log says more."
_UNPROCESSED_PAUSE: Final = timedelta(minutes=5)
_JITTER: Final = 0.1
_LONGEST_TEXT: Final = 1000
# So often at most, the time of the last delivery is written: many deliveries share one row.
_NOTED_EVERY: Final = timedelta(seconds=1)
# Whoever holds an order or an action gets this long before its delivery is recorded in a later round.
_LOCK_MILLISECONDS: Final = 500

Outcome = Result | Delivered | Gone


class Fate(StrEnum):
    """The verdict on an attempt."""

    DELIVERED = "delivered"
    DEFERRED = "put off"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver, and what came of it."""

    due: DueDelivery
    outcome: Outcome

    @property
    def is_simple(self) -> bool:
        """Whether nothing but the delivery itself has to be recorded."""
        return isinstance(self.outcome, Delivered) and not self.due.is_awaited


def record_simple(connection: Connection, attempts: Sequence[Attempt]) -> list[Fate]:
    """Record deliveries that arrived and that nobody waits for, all in a few statements."""
    ids = [attempt.due.id for attempt in attempts]
    _lock(connection, ids)
    statuses = {attempt.outcome.status for attempt in attempts if isinstance(attempt.outcome, Delivered)}
    for status in statuses:
        alike = [
            attempt.due.id
            for attempt in attempts
            if isinstance(attempt.outcome, Delivered) and attempt.outcome.status == status
        ]
        _set_delivered(connection, alike, status)
    for connection_id in {attempt.due.connection_id for attempt in attempts}:
        own = [attempt.due for attempt in attempts if attempt.due.connection_id == connection_id]
        release(connection, connection_id, {due.order_id for due in own})
        _note_success(connection, connection_id)
    return [Fate.DELIVERED] * len(attempts)


def record(connection: Connection, attempt: Attempt) -> Fate | None:
    """Record one attempt with all that follows from it; None when somebody has settled the delivery meanwhile."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_MILLISECONDS}ms'"))
    if not _lock(connection, [attempt.due.id]):
        return None
    due, outcome = attempt.due, attempt.outcome
    match outcome:
        case TryLater():
            return _postpone(connection, due, outcome)
        case Gone():
            return _switch_off(connection, due, outcome)
        case NotSent():
            _set_failed(connection, due, outcome.message, None)
            give_up(connection, due.action_id, outcome.message)
            return Fate.FAILED
        case Succeeded() | Refused():
            settle(connection, due.action_id, _answer(outcome), from_connection_id=due.connection_id)
        case Accepted() | Delivered():
            if due.is_awaited:
                external_id = outcome.external_id if isinstance(outcome, Accepted) else None
                mark_sent(connection, due.action_id, external_id)
    _set_delivered(connection, [due.id], outcome.status if isinstance(outcome, Delivered) else None)
    release(connection, due.connection_id, [due.order_id])
    _note_success(connection, due.connection_id)
    return Fate.DELIVERED


def put_off(connection: Connection, due: DueDelivery) -> Fate:
    """Try the delivery again later, whatever came of it: that could not be processed here."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id, delivery.c.state == DeliveryState.WAITING)
        .values(last_error=UNPROCESSED, next_attempt_at=func.now() + _UNPROCESSED_PAUSE)
    )
    return Fate.DEFERRED


def settle_unsent(connection: Connection, due: DueDelivery) -> None:
    """End a delivery whose action was given up: carried out now, it would surprise everybody."""
    if _lock(connection, [due.id]):
        _set_failed(connection, due, GIVEN_UP_BEFORE, None)


def _answer(outcome: Succeeded | Refused) -> ActionAnswer:
    if isinstance(outcome, Succeeded):
        return ActionAnswer(True, external_id=outcome.external_id, amount=outcome.amount)
    return ActionAnswer(False, message=outcome.message, external_id=outcome.external_id)


def _lock(connection: Connection, ids: Collection[int]) -> bool:
    """Lock the deliveries, in one order with all who do so; False when none of them waits any more."""
    waiting = (
        select(delivery.c.id)
        .where(delivery.c.id.in_(ids), delivery.c.state == DeliveryState.WAITING)
        .order_by(delivery.c.id)
        .with_for_update(key_share=True)
    )
    return bool(connection.execute(waiting).all())


def _set_delivered(connection: Connection, ids: Collection[int], status: int | None) -> None:
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.state == DeliveryState.WAITING)
        .values(
            state=DeliveryState.DELIVERED,
            settled_at=func.now(),
            attempts=delivery.c.attempts + 1,
            last_status=status,
            last_error=None,
        )
    )


def _set_failed(connection: Connection, due: DueDelivery, reason: str, status: int | None) -> None:
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id)
        .values(
            state=DeliveryState.FAILED,
            settled_at=func.now(),
            attempts=due.attempts + 1,
            last_status=status,
            last_error=reason[:_LONGEST_TEXT],
        )
    )
    release(connection, due.connection_id, [due.order_id])


def _note_success(connection: Connection, connection_id: int) -> None:
    last = connection_table.c.last_delivered_at
    is_news = or_(connection_table.c.trouble.is_not(None), last.is_(None), last < func.now() - _NOTED_EVERY)
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == connection_id, is_news)
        .values(last_delivered_at=func.now(), trouble=None, trouble_since=None)
    )


def _postpone(connection: Connection, due: DueDelivery, outcome: TryLater) -> Fate:
    since: ColumnElement[object] = func.coalesce(connection_table.c.trouble_since, func.now())
    trouble = {"trouble": outcome.reason[:_LONGEST_TEXT] or "No reason.", "trouble_since": since}
    if due.kind == WEBHOOKS and outcome.retry_after is not None:
        # The shop asks for a pause, not the event.
        trouble["paused_until"] = func.now() + timedelta(seconds=outcome.retry_after)
    connection.execute(
        update(connection_table).where(connection_table.c.id == due.connection_id).values(**trouble)
    )
    if due.attempts >= len(PAUSES):
        _set_failed(connection, due, outcome.reason, outcome.status)
        if due.is_awaited:
            give_up(connection, due.action_id, outcome.reason)
        report_given_up(connection, due.connection_id)
        return Fate.FAILED
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id)
        .values(
            attempts=due.attempts + 1,
            last_status=outcome.status,
            last_error=outcome.reason[:_LONGEST_TEXT],
            next_attempt_at=func.now() + _pause(due.attempts, outcome.retry_after),
        )
    )
    return Fate.DEFERRED


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    """Until the next attempt: never shorter than the other side asked for."""
    seconds = PAUSES[attempts] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads, hides nothing
    return timedelta(seconds=max(seconds, retry_after or 0.0))


def _switch_off(connection: Connection, due: DueDelivery, outcome: Gone) -> Fate:
    """Hold back what waits until an administrator switches the connection on again."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id == due.id)
        .values(attempts=due.attempts + 1, last_status=outcome.status, last_error=SWITCHED_OFF_BY_SHOP)
    )
    connection.execute(
        update(connection_table)
        .where(connection_table.c.id == due.connection_id, connection_table.c.switched_off_at.is_(None))
        .values(switched_off_at=func.now(), switched_off_because=SWITCHED_OFF_BY_SHOP)
    )
    report_switched_off(connection, due.connection_id)
    return Fate.DEFERRED
