"""The types of events for shops, each with the topic under which a connection subscribes to it."""

from enum import StrEnum
from typing import Final

from db.schema.connection_states import Topic


class EventType(StrEnum):
    """The type of a message that goes out."""

    REFUND_REQUESTED = "refund.requested"
    REFUND_TAKEN = "refund.taken"
    REFUND_APPROVED = "refund.approved"
    REFUND_COMPLETED = "refund.completed"
    REFUND_REFUSED = "refund.refused"
    REFUND_FAILED = "refund.failed"
    CANCEL_REQUESTED = "subscription.cancel_requested"
    RESUME_REQUESTED = "subscription.resume_requested"
    LICENCE_RESENT = "license.resent"
    CODES_DELETED = "license.codes_deleted"
    REISSUE_REQUESTED = "license.reissue"
    LICENCE_REISSUED = "license.reissued"
    EMAIL_CORRECTED = "customer.email_corrected"
    CUSTOMER_ERASED = "customer.erased"
    ORDER_CANCELLED = "order.cancelled"

    @property
    def topic(self) -> Topic:
        return _TOPICS[self.value.partition(".")[0]]


_TOPICS: Final = {
    "refund": Topic.REFUNDS,
    "subscription": Topic.SUBSCRIPTIONS,
    "license": Topic.LICENCES,
    "customer": Topic.CUSTOMERS,
    "order": Topic.ORDERS,
}
