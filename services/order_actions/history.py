"""The Order History's lines that the portal writes: one place for their words. Lines are only ever added."""

from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert

from db.schema.statuses import HistoryKind, Source
from db.schema.tables import order_history
from services.access import Viewer
from services.order_actions.locking import LockedOrder


class Event(StrEnum):
    """What happened. The value is the kind that the history files it under, and its sentence stands below."""

    REFUND_REQUESTED = "refund requested"
    REFUND_TAKEN = "refund taken"
    REFUND_RELEASED = "refund released"
    REFUND_COMPLETED = "refund completed"
    REFUND_REFUSED = "refund refused"
    REFUND_DOCUMENT = "refund document"
    SUBSCRIPTION_CANCELLED = "subscription cancelled"
    SUBSCRIPTION_RESUMED = "subscription resumed"
    EMAIL_CORRECTED = "email corrected"
    NOTE = "note"


# (kind, sentence)
_LINES: Final[dict[Event, tuple[HistoryKind, str]]] = {
    Event.REFUND_REQUESTED: (HistoryKind.STATUS, "Refund request has been sent. Reason: {reason}"),
    Event.REFUND_TAKEN: (HistoryKind.STATUS, "Refund info is being updated"),
    Event.REFUND_RELEASED: (HistoryKind.STATUS, "The refund request went back to the queue"),
    Event.REFUND_COMPLETED: (
        HistoryKind.STATUS,
        "Request has been completed: {result}, {amount}, {items}. {status}Note: {note}",
    ),
    Event.REFUND_REFUSED: (HistoryKind.STATUS, "Refusal to refund: {result}. Note: {note}"),
    Event.REFUND_DOCUMENT: (HistoryKind.DOCUMENT, "Refund document {name}"),
    Event.SUBSCRIPTION_CANCELLED: (
        HistoryKind.SUBSCRIPTION,
        "Auto-renewal has been deactivated: subscription {subscription}{because}",
    ),
    Event.SUBSCRIPTION_RESUMED: (
        HistoryKind.SUBSCRIPTION,
        "Auto-renewal has been activated: subscription {subscription}{because}",
    ),
    Event.EMAIL_CORRECTED: (HistoryKind.STATUS, "The customer's e-mail was corrected from {old} to {new}"),
    Event.NOTE: (HistoryKind.NOTE, "{text}"),
}


def line(event: Event, **words: str) -> tuple[HistoryKind, str]:
    """The kind under which the history files the event, and its sentence."""
    kind, sentence = _LINES[event]
    return kind, sentence.format(**words)


def add_event(
    connection: Connection,
    viewer: Viewer,
    order: LockedOrder,
    event: Event,
    *,
    document_id: int | None = None,
    **words: str,
) -> None:
    """Adds one line to the order's history, in the transaction of what it tells of."""
    kind, sentence = line(event, **words)
    connection.execute(
        insert(order_history)
        .inline()
        .values(
            order_id=order.order_id,
            checkout_page_id=order.checkout_page_id,
            kind=kind,
            text=sentence,
            source=Source.PORTAL,
            account_id=viewer.account_id,
            author=viewer.name,
            document_id=document_id,
        )
    )
