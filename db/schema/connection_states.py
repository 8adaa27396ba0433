"""The words that the tables of connections hold, with the labels that people read.

The database's constraints allow exactly these words (tests/db/schema/test_enums.py). `ConnectionKind` is open:
a further payment provider is a kind of its own.
"""

from enum import StrEnum
from typing import Final


class ConnectionKind(StrEnum):
    """The kind of system on the other side of a connection."""

    WEBHOOKS = "webhooks"
    NOVENTIQ = "noventiq"
    STRIPE = "stripe"
    HELP_DESK = "help desk"


class InboxState(StrEnum):
    """The outcome of a message."""

    WAITING = "waiting"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    REFUSED = "refused"


class AwaitedKind(StrEnum):
    """The kind of action that has to be confirmed."""

    CANCEL_SUBSCRIPTION = "cancel subscription"
    RESUME_SUBSCRIPTION = "resume subscription"
    REFUND = "refund"
    REISSUE_LICENCE = "reissue licence"


class AwaitedState(StrEnum):
    """The progress of an action: recorded here, sent to the other side, answered, or given up."""

    RECORDED = "recorded"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_DELIVERED = "not delivered"


class Topic(StrEnum):
    """A subject on which a connection is sent events, chosen by an administrator."""

    REFUNDS = "refunds"
    SUBSCRIPTIONS = "subscriptions"
    LICENCES = "licences"
    CUSTOMERS = "customers"
    ORDERS = "orders"


class Purpose(StrEnum):
    """The purpose of a secret: incoming messages, outgoing actions, or the other side's own API."""

    IN = "in"
    OUT = "out"
    API = "api"


class DeliveryState(StrEnum):
    """The state of the delivery of an event to a connection."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def label(self) -> str:
        return _DELIVERY_LABELS[self]


_DELIVERY_LABELS: Final = {
    DeliveryState.WAITING: "Waiting",
    DeliveryState.DELIVERED: "Sent",
    DeliveryState.FAILED: "Failed",
}
