"""The Order History's lines that the portal writes: one place for their words. Lines are only ever added."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, insert, select

from db.schema.account_tables import account
from db.schema.order_tables import order_history
from db.schema.statuses import HistoryKind, Source
from services.access import Author
from services.order_actions.locking import LockedOrder


class Event(StrEnum):
    """An event of the Order History. The value is its kind in the history; its sentence is in `_LINES`."""

    REFUND_REQUESTED = "refund requested"
    REFUND_TAKEN = "refund taken"
    REFUND_RELEASED = "refund released"
    REFUND_COMPLETED = "refund completed"
    REFUND_REFUSED = "refund refused"
    REFUND_DOCUMENT = "refund document"
    SUBSCRIPTION_CANCELLED = "subscription cancelled"
    SUBSCRIPTION_RESUMED = "subscription resumed"
    CANCELLATION_RECORDED = "cancellation recorded"
    RESUMPTION_RECORDED = "resumption recorded"
    REFUND_RECORDED = "refund recorded"
    REFUND_SUM_DIFFERS = "refund sum differs"
    REFUND_DECIDED = "refund decided"
    REFUND_APPROVED = "refund approved"
    REFUND_SENT_BACK = "refund sent back"
    REFUND_WITHDRAWN = "refund withdrawn"
    ANSWER_REFUSED = "answer refused"
    ANSWER_NOT_CARRIED_OUT = "answer not carried out"
    ACTION_NOT_DELIVERED = "action not delivered"
    WAITING_STOPPED = "waiting stopped"
    ANSWER_TAKEN_BACK = "answer taken back"
    LICENCE_REISSUED = "licence reissued"
    REISSUE_RECORDED = "reissue recorded"
    ORDER_CANCELLED = "order cancelled"
    EMAIL_CORRECTED = "email corrected"
    NOTE = "note"
    LICENCE_SENT = "licence sent"
    LICENCE_FAILED = "licence failed"
    MAIL_FAILED = "mail failed"
    CUSTOMER_TOLD = "customer told"
    CUSTOMER_NOT_TOLD = "customer not told"


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
    # `asked` is who has to confirm: "the shop", or a provider by its name.
    Event.CANCELLATION_RECORDED: (
        HistoryKind.SUBSCRIPTION,
        "Cancellation recorded here; {asked} has to confirm it: subscription {subscription}{because}",
    ),
    Event.RESUMPTION_RECORDED: (
        HistoryKind.SUBSCRIPTION,
        "Resumption recorded here; {asked} has to confirm it: subscription {subscription}{because}",
    ),
    Event.REFUND_RECORDED: (
        HistoryKind.STATUS,
        "Refund recorded here; {asked} has to confirm it: {amount}, {items}. Note: {note}",
    ),
    Event.REFUND_SUM_DIFFERS: (
        HistoryKind.STATUS,
        "The sum told by {asked} is {told}; {wished} was recorded here{capped}",
    ),
    Event.REFUND_DECIDED: (
        HistoryKind.STATUS,
        "Refund decided; a second operator has to approve it: {amount}, {items}. Note: {note}",
    ),
    Event.REFUND_APPROVED: (
        HistoryKind.STATUS,
        "The refund decided by {decided_by} was approved: {amount}, {items}",
    ),
    Event.REFUND_SENT_BACK: (
        HistoryKind.STATUS,
        "The refund decided by {decided_by} was sent back: {amount}, {items}. Note: {note}",
    ),
    Event.REFUND_WITHDRAWN: (
        HistoryKind.STATUS,
        "The decision on the refund was withdrawn before it was approved: {amount}, {items}",
    ),
    Event.ANSWER_REFUSED: (HistoryKind.STATUS, "The {action} was refused by {asked}: {message}"),
    Event.ANSWER_NOT_CARRIED_OUT: (
        HistoryKind.ERROR,
        "The {action} was confirmed by {asked} and could not be carried out here. {reason}",
    ),
    Event.ACTION_NOT_DELIVERED: (
        HistoryKind.ERROR,
        "The {action} was not sent to {asked}; it can be done again. {reason}",
    ),
    Event.ANSWER_TAKEN_BACK: (
        HistoryKind.ERROR,
        "The {action} was confirmed by {asked} and has failed since; the customer does not have the money. {message}",
    ),
    Event.WAITING_STOPPED: (
        HistoryKind.STATUS,
        "The {action} no longer waits for {asked}; it can be done again. Note: {note}",
    ),
    Event.LICENCE_REISSUED: (
        HistoryKind.STATUS,
        (
            "The activation code {old} was deleted and replaced by {new} (item {position}){confirmed}. "
            "Reason: {reason}{unsent}"
        ),
    ),
    Event.REISSUE_RECORDED: (
        HistoryKind.STATUS,
        "A new activation code in place of {old} was asked for here; {asked} has to send it. Reason: {reason}",
    ),
    Event.ORDER_CANCELLED: (HistoryKind.STATUS, "The unpaid order was cancelled. Reason: {reason}"),
    Event.EMAIL_CORRECTED: (HistoryKind.STATUS, "The customer's e-mail was corrected from {old} to {new}"),
    Event.NOTE: (HistoryKind.NOTE, "{text}"),
    Event.LICENCE_SENT: (
        HistoryKind.EMAIL,
        "Licence e-mail has been sent to {to} (item {position}, code {number})",
    ),
    Event.LICENCE_FAILED: (HistoryKind.ERROR, "Licence e-mail to {to} failed. {reason}"),
    Event.MAIL_FAILED: (HistoryKind.ERROR, "E-mail to {to} failed. {reason}"),
    Event.CUSTOMER_TOLD: (HistoryKind.EMAIL, "E-mail about the refund has been sent to {to}"),
    Event.CUSTOMER_NOT_TOLD: (
        HistoryKind.STATUS,
        "No e-mail about the refund was sent to the customer. {reason}",
    ),
}


def line(event: Event, **values: str) -> tuple[HistoryKind, str]:
    """The kind under which the history files the event, and its sentence."""
    kind, sentence = _LINES[event]
    return kind, sentence.format(**values)


def add_event(
    connection: Connection,
    author: Author,
    order: LockedOrder,
    event: Event,
    *,
    document_id: int | None = None,
    **values: str,
) -> None:
    """Add a line by the author to the order's history, in the transaction of the event."""
    kind, sentence = line(event, **values)
    _insert(
        connection,
        order_id=order.order_id,
        checkout_page_id=order.checkout_page_id,
        kind=kind,
        text=sentence,
        account_id=author.account_id,
        author=author.name,
        document_id=document_id,
    )


def add_answer_event(
    connection: Connection, event: Event, *, order_id: int, store_id: int, **values: str
) -> None:
    """Add a line about an answer of a shop or a provider; it has no author here."""
    kind, sentence = line(event, **values)
    _insert(connection, order_id=order_id, checkout_page_id=store_id, kind=kind, text=sentence)


def add_mail_event(
    connection: Connection,
    event: Event,
    *,
    order_id: int,
    store_id: int,
    at: datetime | None,
    account_id: int | None,
    is_authored: bool,
    **values: str,
) -> None:
    """Add a line about a message to the history of its order, as the mail worker does.

    `at` None is the present; `is_authored` shows the account that caused the message as the line's author.
    """
    kind, sentence = line(event, **values)
    author = select(account.c.name).where(account.c.id == account_id).scalar_subquery()
    _insert(
        connection,
        order_id=order_id,
        checkout_page_id=store_id,
        at=at or func.clock_timestamp(),
        kind=kind,
        text=sentence,
        account_id=account_id,
        author=author if is_authored else None,
    )


def _insert(connection: Connection, **values: object) -> None:
    # Inline: a RETURNING would need the right to read.
    connection.execute(insert(order_history).inline().values(source=Source.PORTAL, **values))
