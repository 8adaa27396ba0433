"""Answers to actions: the only way in which the word of a shop or a provider arrives (decision 026).

A message of the inbox, the result of an executor and a provider's own webhook all end in `settle`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from db.schema.audit_actions import AuditAction
from db.schema.connection_states import AwaitedKind, AwaitedState
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import orders
from services.access import RecordedAuthor
from services.audit import recording
from services.events.awaiting import (
    AwaitedAction,
    NotCarriedOut,
    change_state,
    find_action,
    find_waiting,
    mark_not_delivered,
)
from services.order_actions import reissue_answers, subscription_answers
from services.order_actions.answer_mails import mail_not_carried_out, mail_refused
from services.order_actions.history import Event, add_answer_event
from services.order_actions.locking import LockedOrder
from services.refunds import answers as refund_answers

NO_REASON: Final = "No reason was given."
_LONGEST_MESSAGE: Final = 1000
_LONGEST_ID: Final = 300


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """The other side's answer to an action. `message` is its reason, `external_id` its own name for what it did.

    `amount` is in the order's currency, None when it does not say. `code` is the new activation code, where one was
    asked for.
    """

    succeeded: bool
    message: str | None = None
    external_id: str | None = None
    amount: Decimal | None = None
    code: str | None = None


class SettleOutcome(StrEnum):
    """The effect of an answer."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    REPEATED = "repeated"  # an answer was there before; nothing changed
    UNKNOWN = "unknown"  # no such action, or none that this connection was asked for


def settle(
    connection: Connection, action_id: UUID, answer: ActionAnswer, *, from_connection_id: int
) -> SettleOutcome:
    """Take an answer in: carry the action out when it was confirmed, and say so when it was refused.

    Of several answers the first counts. `connection` is a transaction of the jobs' role. Waits for whoever holds the
    orders concerned, which are locked before the action, as people lock them who act. Raises `InvalidInput` for an
    answer without a usable activation code where one was asked for; the action waits for another answer then.
    """
    action = find_action(connection, action_id)
    if action is None or not _is_asked(connection, action, from_connection_id):
        return SettleOutcome.UNKNOWN
    order = _lock(connection, action)
    if order is None:  # it was deleted while we waited for it, and the action with it
        return SettleOutcome.UNKNOWN
    state = AwaitedState.CONFIRMED if answer.succeeded else AwaitedState.REFUSED
    message = _one_line(answer.message, _LONGEST_MESSAGE)
    is_new = change_state(
        connection,
        action_id,
        state,
        message=message,
        external_id=_one_line(answer.external_id, _LONGEST_ID),
        amount=answer.amount,
    )
    if not is_new:
        return SettleOutcome.REPEATED
    author = RecordedAuthor(action.account_id, action.account_email, action.account_name)
    if answer.succeeded:
        _carry_out(connection, author, order, action, answer)
    else:
        _refuse(connection, author, order, action, message or NO_REASON)
    _record(connection, author, action, state, message)
    return SettleOutcome(state.value)


def _lock(connection: Connection, action: AwaitedAction) -> LockedOrder | None:
    if action.kind is AwaitedKind.REFUND:
        return refund_answers.lock_refund(connection, action)
    if action.kind is AwaitedKind.REISSUE_LICENCE:
        return reissue_answers.lock_reissue(connection, action)
    return subscription_answers.lock_change(connection, action)


def name_of_action(action: AwaitedAction) -> str:
    """What sentences call the action."""
    if action.kind is AwaitedKind.REFUND:
        return refund_answers.name_of_refund(action)
    if action.kind is AwaitedKind.REISSUE_LICENCE:
        return reissue_answers.name_of_reissue(action)
    return subscription_answers.name_of_change(action)


def _carry_out(
    connection: Connection,
    author: RecordedAuthor,
    order: LockedOrder,
    action: AwaitedAction,
    answer: ActionAnswer,
) -> None:
    """Do what was wished. Where the order has changed too much for it, its history says so; it is confirmed anyway."""
    try:
        if action.kind is AwaitedKind.REFUND:
            refund_answers.carry_out_confirmed(connection, author, order, action, answer.amount)
        elif action.kind is AwaitedKind.REISSUE_LICENCE:
            reissue_answers.carry_out_confirmed(connection, author, order, action, answer.code)
        else:
            subscription_answers.carry_out_confirmed(connection, author, order, action)
    except NotCarriedOut as error:
        _add_line(connection, order, action, Event.ANSWER_NOT_CARRIED_OUT, reason=str(error))
        mail_not_carried_out(connection, order, action, name_of_action(action), str(error))


def _refuse(
    connection: Connection, author: RecordedAuthor, order: LockedOrder, action: AwaitedAction, message: str
) -> None:
    is_refund = action.kind is AwaitedKind.REFUND
    if is_refund and refund_answers.turn_down_refused(connection, author, order, action, message):
        return  # with a line and a mail of its own
    _add_line(connection, order, action, Event.ANSWER_REFUSED, message=message)
    mail_refused(connection, order, action, name_of_action(action), message)


def _add_line(
    connection: Connection, order: LockedOrder, action: AwaitedAction, event: Event, **values: str
) -> None:
    add_answer_event(
        connection,
        event,
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        action=name_of_action(action),
        asked=action.asked,
        **values,
    )


def _record(
    connection: Connection,
    author: RecordedAuthor,
    action: AwaitedAction,
    state: AwaitedState,
    message: str | None,
) -> None:
    """Add the answer to the audit log, under the account that acted."""
    details: dict[str, object] = {
        "action": action.kind.value,
        "subject": action.subject,
        "answer": state.value,
        "connection": action.connection_id,
    }
    recording.record(
        connection,
        author,
        AuditAction.ANSWER_ACTION,
        address=None,
        order_id=action.order_id,
        succeeded=state is AwaitedState.CONFIRMED,
        details=details | ({"message": message} if message else {}),
    )


def _one_line(text: str | None, longest: int) -> str | None:
    """Text from outside as a single printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line[:longest] or None


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


def take_back(connection: Connection, action_id: UUID, message: str, *, from_connection_id: int) -> bool:
    """Record that a refund which was confirmed has failed since: in the order's history, and by mail to its requester.

    The request stays closed and the order as it is: what to do now, people decide. False when there is no such refund,
    and when this was said before. `connection` is a transaction of the jobs' role.
    """
    action = find_action(connection, action_id)
    if action is None or not _is_asked(connection, action, from_connection_id):
        return False
    if action.kind is not AwaitedKind.REFUND or action.state is not AwaitedState.CONFIRMED:
        return False
    order = _lock(connection, action)
    said = _one_line(message, _LONGEST_MESSAGE) or NO_REASON
    if order is None or not refund_answers.add_taken_back(connection, order, action, said):
        return False
    author = RecordedAuthor(action.account_id, action.account_email, action.account_name)
    _record(connection, author, action, AwaitedState.REFUSED, said)
    return True


def give_up(connection: Connection, action_id: UUID, reason: str) -> bool:
    """Record that an action did not reach the other side, so that it can be done again; False when it was answered.

    `reason` is a sentence for people: it stands in the order's history. `connection` is a transaction of the jobs'
    role. Waits for an import that holds the order, and for nobody who acts on it.
    """
    action = find_action(connection, action_id)
    message = _one_line(reason, _LONGEST_MESSAGE)
    if action is None:
        return False
    # Before the action, in the sequence of everybody else: the line below refers to the order.
    order_stays = select(orders.c.order_id).where(orders.c.order_id == action.order_id)
    connection.execute(order_stays.with_for_update(read=True, key_share=True))
    if not mark_not_delivered(connection, action_id, message or NO_REASON):
        return False
    add_answer_event(
        connection,
        Event.ACTION_NOT_DELIVERED,
        order_id=action.order_id,
        store_id=action.store_id,
        action=name_of_action(action),
        asked=action.asked,
        reason=message or NO_REASON,
    )
    author = RecordedAuthor(action.account_id, action.account_email, action.account_name)
    _record(connection, author, action, AwaitedState.NOT_DELIVERED, message)
    return True


def give_up_all(connection: Connection, connection_id: int, reason: str) -> int:
    """Give up all that waits for a connection that is switched off or removed; how many actions that were."""
    return sum(
        give_up(connection, action_id, reason) for action_id in find_waiting(connection, connection_id)
    )
