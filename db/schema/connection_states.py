"""The words that the tables of connections hold, with the labels that people read.

The database's constraints allow exactly these words (tests/db/schema/test_enums.py). `ConnectionKind` is open:
a further payment provider is a kind of its own.
"""

from enum import StrEnum
from typing import Final


class ConnectionKind(StrEnum):
    """What is on the other side of a connection."""

    WEBHOOKS = "webhooks"
    NOVENTIQ = "noventiq"
    STRIPE = "stripe"
    HELP_DESK = "help desk"


class InboxState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    REFUSED = "refused"


class AwaitedKind(StrEnum):
    """What has to be confirmed."""

    CANCEL_SUBSCRIPTION = "cancel subscription"
    RESUME_SUBSCRIPTION = "resume subscription"
    REFUND = "refund"
    REISSUE_LICENCE = "reissue licence"


class AwaitedState(StrEnum):
    """How far an action has come: here, on the other side, answered, or given up."""

    RECORDED = "recorded"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_DELIVERED = "not delivered"


class Topic(StrEnum):
    """What a connection sends out, chosen by an administrator."""

    REFUNDS = "refunds"
    SUBSCRIPTIONS = "subscriptions"
    LICENCES = "licences"
    CUSTOMERS = "customers"
    ORDERS = "orders"


class Purpose(StrEnum):
    """What a secret is for: messages that come in, actions that go out, or the other side's own interface."""

    IN = "in"
    OUT = "out"
    API = "api"


class DeliveryState(StrEnum):
    """What became of the delivery of an event to a connection."""

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
