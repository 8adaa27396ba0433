"""Handlers of a shop's messages other than order documents, which are merged in batches (order_merging.py)."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from db.schema.connection_states import InboxState
from services.connections.answers import ActionAnswer, SettleOutcome, settle
from services.connections.incoming import Handler, Outcome, WaitingMessage, WrongMessage
from services.connections.messages import UNREADABLE, Message, MessageType, read_message, read_text
from services.order_actions.reissue import CODE_LIMIT
from services.privacy.store_erasure import erase_customer_of_store

UNKNOWN_ACTION: Final = "This connection was not asked for an action with this ID."
ANSWERED_BEFORE: Final = "This action was answered before."
LONGEST_EMAIL: Final = 320
_LONGEST_EXTERNAL_ID: Final = 300
_LONGEST_MESSAGE: Final = 1000
_HIGHEST: Final = Decimal(10) ** 12


def answer_of(message: Message) -> tuple[UUID, ActionAnswer]:
    """The action that a message answers, and the answer; raises `WrongMessage`."""
    try:
        action_id = UUID(read_text(message, "action_id", longest=64))
    except ValueError:
        raise WrongMessage("data.action_id", "The ID of an action that was sent out is expected.") from None
    if message.type == MessageType.FAILED:
        reason = read_text(message, "message", longest=_LONGEST_MESSAGE, lines=True)
        return action_id, ActionAnswer(succeeded=False, message=reason)
    external_id = (
        read_text(message, "external_id", longest=_LONGEST_EXTERNAL_ID)
        if message.data.get("external_id") is not None
        else None
    )
    code = read_text(message, "code", longest=CODE_LIMIT) if message.data.get("code") is not None else None
    return action_id, ActionAnswer(
        succeeded=True, external_id=external_id, amount=_amount(message), code=code
    )


def _amount(message: Message) -> Decimal | None:
    value: object = message.data.get("amount")
    if value is None:
        return None
    try:
        # A number of JSON has lost its decimals by now.
        amount = Decimal(value) if isinstance(value, str) and len(value) <= 30 else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount < _HIGHEST:
        raise WrongMessage("data.amount", "An amount as a text with a dot, such as “49.00”, is expected.")
    return amount


def settle_action(connection: Connection, waiting: WaitingMessage) -> Outcome:
    """Give the shop's answer to the action that it answers."""
    action_id, answer = answer_of(read_message(waiting.body))
    if waiting.connection_id is None:
        return Outcome(InboxState.REFUSED, "data.action_id", UNKNOWN_ACTION)
    outcome = settle(connection, action_id, answer, from_connection_id=waiting.connection_id)
    if outcome is SettleOutcome.UNKNOWN:
        return Outcome(InboxState.REFUSED, "data.action_id", UNKNOWN_ACTION)
    if outcome is SettleOutcome.REPEATED:
        return Outcome(InboxState.UNCHANGED, None, ANSWERED_BEFORE)
    return Outcome(InboxState.APPLIED)


def erase_customer(connection: Connection, waiting: WaitingMessage) -> Outcome:
    """Erase the customer in the orders of the connection's own store."""
    if waiting.store_id is None:
        return Outcome(InboxState.REFUSED, None, "Only a connection of a store may ask for this.")
    email = read_text(read_message(waiting.body), "email", longest=LONGEST_EMAIL)
    number = erase_customer_of_store(
        connection, email=email, store_id=waiting.store_id, connection_id=waiting.connection_id
    )
    return Outcome(InboxState.APPLIED if number else InboxState.UNCHANGED)


def refuse_unreadable(connection: Connection, waiting: WaitingMessage) -> Outcome:
    """Refuse once more what an administrator wants to be applied again although it cannot be read."""
    read_message(waiting.body)
    return Outcome(InboxState.IGNORED, None, "The message was refused when it came.")


SHOP_HANDLERS: Final[Mapping[str, Handler]] = {
    MessageType.ERASED: erase_customer,
    MessageType.SUCCEEDED: settle_action,
    MessageType.FAILED: settle_action,
    UNREADABLE: refuse_unreadable,
}
