"""The statuses of an order, as the database stores them and as people read them."""

from enum import StrEnum
from typing import Final

# Other mechanisms of renewal are no subscriptions and show nothing.
SUBSCRIPTION_TYPES: Final = ("AR", "PMR")


class MainStatus(StrEnum):
    NOT_PAID = "not paid"
    PAID = "paid"
    DELETED = "deleted"
    TERMINATED = "terminated"

    @property
    def label(self) -> str:
        return _LABELS[self]


class DeliveryStatus(StrEnum):
    NOT_DELIVERED = "not delivered"
    DELIVERED = "delivered"

    @property
    def label(self) -> str:
        return _LABELS[self]


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    UPDATING = "updating"
    COMPLETED = "completed"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        return _LABELS[self]


class SubscriptionFilter(StrEnum):
    """What a search asks of the subscriptions of an order."""

    ANY = "any"
    WITH = "with"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"


_LABELS: dict[StrEnum, str] = {
    MainStatus.NOT_PAID: "Not paid",
    MainStatus.PAID: "Paid",
    MainStatus.DELETED: "Deleted",
    MainStatus.TERMINATED: "Terminated",
    DeliveryStatus.NOT_DELIVERED: "Not delivered",
    DeliveryStatus.DELIVERED: "Delivered",
    RefundStatus.REQUESTED: "Refund request has been sent",
    RefundStatus.UPDATING: "Refund info is being updated",
    RefundStatus.COMPLETED: "Request has been completed",
    RefundStatus.REFUSED: "Refusal to refund",
}


def status_labels(status: str, delivered: bool, refund_status: str | None) -> tuple[str, ...]:
    """All statuses of an order in words: the main one, delivery, and that of its newest refund request, if any."""
    delivery = DeliveryStatus.DELIVERED if delivered else DeliveryStatus.NOT_DELIVERED
    labels = (MainStatus(status).label, delivery.label)
    return labels if refund_status is None else (*labels, RefundStatus(refund_status).label)
