"""Verification and reading of Noventiq's webhooks, before anything is applied.

They have no ID: the SHA-256 of the raw body takes its place, so that a doubled message is one.
"""

from collections.abc import Mapping
from typing import Final

from services.connections.incoming import Reading, Sender, WrongMessage
from services.connections.messages import digest_of
from services.noventiq.messages import KNOWN_EVENTS, read_event, read_notice, read_order_id
from services.noventiq.signature import HEADER, is_signed

_UNREADABLE: Final = "unreadable"


class NoventiqReceiver:
    """Answers 401 to a wrong signature, and keeps as refused what is signed and cannot be used."""

    def verify(self, secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> bool:
        return is_signed(secrets, headers.get(HEADER, ""), body)

    def read(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Reading:
        message_id = digest_of(body)
        try:
            event, message = read_event(body)
        except WrongMessage as error:
            return Reading(message_id, _UNREADABLE, refused=error)
        try:
            order_id = read_order_id(message)
        except WrongMessage as error:
            return Reading(message_id, event, refused=error)
        if event not in KNOWN_EVENTS:
            reason = f"Events named {event} mean nothing here."
            return Reading(message_id, event, order_id=order_id, ignored=reason)
        try:
            notice = read_notice(body, sender.store)
        except WrongMessage as error:
            return Reading(message_id, event, order_id=order_id, refused=error)
        return Reading(message_id, event, order_id=order_id, occurred_at=notice.occurred_at)
