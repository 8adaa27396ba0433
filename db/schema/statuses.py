"""The words that tables hold for statuses, kinds and results, with the labels that people read.

The database's constraints allow exactly these words (tests/db/schema/test_enums.py), so a new one needs a migration.
The words of the audit log are in `db.schema.audit_actions`, roles in the tables of accounts.
"""

from enum import StrEnum
from typing import Final


class SubscriptionType(StrEnum):
    """The mechanisms of renewal that have rules. The column is open: others are stored, but show nothing."""

    AR = "AR"
    PMR = "PMR"


SUBSCRIPTION_TYPES: Final = tuple(SubscriptionType)


class SubscriptionStatus(StrEnum):
    ACTIVE = "active"
    NOT_PAID = "not paid"
    CANCELLED = "cancelled"


class SubscriptionAction(StrEnum):
    """The cause of a change of a subscription's status: `STOP` is part of a refund, `DOCUMENT` a later document of the
    shop.
    """

    CANCEL = "cancel"
    RESUME = "resume"
    STOP = "stop"
    DOCUMENT = "document"

    @property
    def label(self) -> str:
        return _ACTION_LABELS[self]


# The sentences of an order and its history about the renewal of a subscription.
RENEWAL_ACTIVATED: Final = "Auto-renewal has been activated"
RENEWAL_DEACTIVATED: Final = "Auto-renewal has been deactivated"


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


class RefundResult(StrEnum):
    """The result with which a refund request was closed."""

    FULL = "full"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def label(self) -> str:
        return _RESULT_LABELS[self]

    @property
    def mail_phrase(self) -> str:
        """The result in the requester's mail. The vendor has three results: a refusal is reported like a failure."""
        return _MAIL_PHRASES[self]


class MailKind(StrEnum):
    LICENCE = "licence"
    REFUND = "refund"
    ACCOUNT = "account"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the kind's name
    PASSWORD = "password"  # noqa: S105 - the kind's name
    CREDENTIALS = "credentials"
    CONNECTION = "connection"
    ACTION = "action"
    CUSTOMER_REFUND = "customer_refund"
    REFUND_DIGEST = "refund_digest"


# Mails to customers: they go with an erased customer, and the order's history says so when they were sent.
CUSTOMER_MAILS: Final = frozenset({MailKind.LICENCE, MailKind.CUSTOMER_REFUND})


class MailState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"

    @property
    def label(self) -> str:
        return _MAIL_STATE_LABELS[self]


class HistoryKind(StrEnum):
    """The kind of an Order History line. Documents of shops may contain all of them but `NOTE`."""

    EMAIL = "email"
    ERROR = "error"
    STATUS = "status"
    SUBSCRIPTION = "subscription"
    RELATION = "relation"
    ANONYMIZATION = "anonymization"
    DOCUMENT = "document"
    NOTE = "note"

    @property
    def label(self) -> str:
        return _HISTORY_LABELS[self]


class Source(StrEnum):
    """The author of an Order History line or a document."""

    SHOP = "shop"
    PORTAL = "portal"


class DocumentKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"


class Relation(StrEnum):
    """The relation of another order to this one."""

    TYPO = "typo"
    PARENT = "parent"
    CHILD = "child"

    @property
    def label(self) -> str:
        return _RELATION_LABELS[self]


class SubscriptionFilter(StrEnum):
    """The condition of a search on the subscriptions of an order."""

    ANY = "any"
    WITH = "with"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"

    @property
    def label(self) -> str:
        return _FILTER_LABELS[self]


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
# Tables of their own: members of two enums with the same word are equal, and would be one key.
_RESULT_LABELS: dict[RefundResult, str] = {
    RefundResult.FULL: "Full refund",
    RefundResult.PARTIAL: "Partial refund",
    RefundResult.REFUSED: "Refused",
    RefundResult.FAILED: "The refund failed",
}
_ACTION_LABELS: dict[SubscriptionAction, str] = {
    SubscriptionAction.CANCEL: "cancelled",
    SubscriptionAction.RESUME: "resumed",
    SubscriptionAction.STOP: "stopped with a refund",
    SubscriptionAction.DOCUMENT: "decided anew",
}
_HISTORY_LABELS: dict[HistoryKind, str] = {
    HistoryKind.EMAIL: "E-mail",
    HistoryKind.ERROR: "Error",
    HistoryKind.STATUS: "Status",
    HistoryKind.SUBSCRIPTION: "Subscription",
    HistoryKind.RELATION: "Related",
    HistoryKind.ANONYMIZATION: "Personal data",
    HistoryKind.DOCUMENT: "Document",
    HistoryKind.NOTE: "Internal note",
}
_RELATION_LABELS: dict[Relation, str] = {
    Relation.TYPO: "Bought together",
    Relation.PARENT: "Parent order",
    Relation.CHILD: "Child order",
}
_FILTER_LABELS: dict[SubscriptionFilter, str] = {
    SubscriptionFilter.ANY: "Any",
    SubscriptionFilter.WITH: "With a subscription",
    SubscriptionFilter.ACTIVATED: "Auto-renewal activated",
    SubscriptionFilter.DEACTIVATED: "Auto-renewal deactivated",
}
_MAIL_STATE_LABELS: dict[MailState, str] = {
    MailState.QUEUED: "Waiting",
    MailState.SENT: "Sent",
    MailState.FAILED: "Failed",
}
_MAIL_PHRASES: dict[RefundResult, str] = {
    RefundResult.FULL: "full refund completed",
    RefundResult.PARTIAL: "partial refund completed",
    RefundResult.REFUSED: "refund failed",
    RefundResult.FAILED: "refund failed",
}


def status_labels(status: str, delivered: bool, refund_status: str | None) -> tuple[str, ...]:
    """The labels of all statuses of an order: the main one, delivery, and that of its newest refund request, if any."""
    delivery = DeliveryStatus.DELIVERED if delivered else DeliveryStatus.NOT_DELIVERED
    labels = (MainStatus(status).label, delivery.label)
    return labels if refund_status is None else (*labels, RefundStatus(refund_status).label)
