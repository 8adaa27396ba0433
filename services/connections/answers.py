"""Answers to actions: the only way in which the word of a shop or a provider arrives (decision 026).

A message of the inbox, the result of an executor and a provider's own webhook all end in `settle`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, select

from db.schema.connection_tables import connection as connection_table
from services.events.awaiting import (
    AwaitedAction,
    AwaitedState,
    change_state,
    find_action,
    find_waiting,
    mark_not_delivered,
)


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What the other side says of an action. `message` is its reason, `external_id` its own name for what it did.

    `amount` is in the order's currency, None when it does not say.
    """

    succeeded: bool
    message: str | None = None
    external_id: str | None = None
    amount: Decimal | None = None


class SettleOutcome(StrEnum):
    """What an answer has changed."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    REPEATED = "repeated"  # an answer was there before; nothing changed
    UNKNOWN = "unknown"  # no such action, or none that this connection was asked for


def settle(
    connection: Connection, action_id: UUID, answer: ActionAnswer, *, from_connection_id: int
) -> SettleOutcome:
    """Take an answer in: carry the action out when it was confirmed, and say so when it was refused.

    `connection` is a transaction of the jobs' role. Waits for whoever holds the orders concerned.
    """
    action = find_action(connection, action_id)
    if action is None or not _is_asked(connection, action, from_connection_id):
        return SettleOutcome.UNKNOWN
    state = AwaitedState.CONFIRMED if answer.succeeded else AwaitedState.REFUSED
    is_new = change_state(
        connection,
        action_id,
        state,
        message=answer.message,
        external_id=answer.external_id,
        amount=answer.amount,
    )
    if not is_new:
        return SettleOutcome.REPEATED
    return SettleOutcome(state.value)


def _is_asked(connection: Connection, action: AwaitedAction, connection_id: int) -> bool:
    """Whether the connection that was asked answers, or another of the store once that one is switched off."""
    if action.connection_id == connection_id:
        return True
    stores = connection.execute(
        select(connection_table.c.id, connection_table.c.checkout_page_id).where(
            connection_table.c.id.in_([connection_id, action.connection_id or 0]),
            connection_table.c.switched_off_at.is_(None),
        )
    )
    by_id = {row.id: row.checkout_page_id for row in stores}
    return action.connection_id not in by_id and by_id.get(connection_id) == action.store_id


def give_up(connection: Connection, action_id: UUID, reason: str) -> bool:
    """Record that an action did not reach the other side, so that it can be done again; False when it was answered.

    `reason` is a sentence for people. `connection` is a transaction of the jobs' role.
    """
    return mark_not_delivered(connection, action_id, reason)


def give_up_all(connection: Connection, connection_id: int, reason: str) -> int:
    """Give up all that waits for a connection that is switched off or removed; how many actions that were."""
    return sum(
        give_up(connection, action_id, reason) for action_id in find_waiting(connection, connection_id)
    )
