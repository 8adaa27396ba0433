"""The words that the tables of connections hold, with the labels that people read."""

from enum import StrEnum
from typing import Final


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
