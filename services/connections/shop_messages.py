"""Reading a shop's messages (Standard Webhooks), before anything is merged."""

from collections.abc import Mapping

from services.connections.documents import check_document
from services.connections.handlers import LONGEST_EMAIL, answer_of
from services.connections.incoming import Reading, Sender, WrongMessage
from services.connections.messages import (
    UNREADABLE,
    Message,
    MessageType,
    event_id,
    is_signed,
    read_message,
    read_text,
)


class ShopReceiver:
    """Verifies by the signature of Standard Webhooks; a body names an order of the connection's own store or none."""

    def verify(self, secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> bool:
        return is_signed(secrets, headers, body)

    def read(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Reading:
        message_id = event_id(headers)
        try:
            message = read_message(body)
        except WrongMessage as error:
            return Reading(message_id, UNREADABLE, refused=error)
        if message.type not in tuple(MessageType):
            reason = f"Messages of the type {message.type} mean nothing here."
            return Reading(message_id, message.type, occurred_at=message.timestamp, ignored=reason)
        try:
            order_id = check(message, sender.store)
        except WrongMessage as error:
            return Reading(
                message_id,
                message.type,
                order_id=_named_order(message),
                occurred_at=message.timestamp,
                refused=error,
            )
        return Reading(message_id, message.type, order_id=order_id, occurred_at=message.timestamp)


def check(message: Message, store: str) -> int | None:
    """The order that the message is about, if its type has one; raises `WrongMessage`."""
    if message.type in (MessageType.ORDER, MessageType.ITEM):
        document = check_document(message.data, store)
        if message.type == MessageType.ITEM and len(document.items) != 1:
            raise WrongMessage("data.items", "Exactly one item is expected.")
        return document.order_id
    if message.type == MessageType.ERASED:
        read_text(message, "email", longest=LONGEST_EMAIL)
    if message.type in (MessageType.SUCCEEDED, MessageType.FAILED):
        answer_of(message)
    return None


def _named_order(message: Message) -> int | None:
    """The order that a refused message names, so that what is kept of it goes when the order's customer is erased."""
    value: object = message.data.get("order_id")
    return value if type(value) is int and 0 < value < 2**63 else None
