"""One message on its way: claimed, given to the mail server, and recorded as what became of it.

Why a message leaves once: docs/decisions/007-mail-is-handed-over-once.md. Why no row is locked while the mail server
takes its time: docs/decisions/014-mail-locks-and-faults.md.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from db.connections.engine import jobs_transaction
from db.schema.mail_tables import mail, mail_handover
from db.schema.order_tables import activation_code, checkout_page, order_item, orders
from db.schema.statuses import MailKind, MailState
from services.delivery.records import Outcome, Withdrawn, locked_mail, settle
from services.mail import server_state
from services.mail.addresses import NO_ADDRESS, Utf8, sender_of
from services.mail.message import MailContent, Message, compose
from services.mail.outbox import claim_of
from services.mail.server_address import server_of
from services.mail.smtp import (
    Conversation,
    Deferred,
    NotSent,
    OutcomeUnknown,
    Refused,
    RefusedUs,
    ServerUnusable,
)
from services.order_actions.licences import COPY_DELETED, was_deleted_elsewhere, why_not_sent

log = logging.getLogger("esupport.mail")
# So many of those that are due are looked at for one that no other worker has.
_LOOKED_AT: Final = 100
# How long a worker that was told to stop goes on trying to record what has left.
_LAST_SECONDS: Final = 8.0
_LONGEST_PAUSE: Final = 5.0


class MailSession:
    """A session with the mail server; records for the pages what the server offers and refuses."""

    def __init__(self, smtp_url: str, sender: str) -> None:
        """Raises `ServerUnusable` when one of the two means nothing."""
        try:
            self._server, self.sender = server_of(smtp_url), sender_of(sender)
        except ValueError as error:
            raise ServerUnusable(str(error)) from error
        self.address: Final = self._server.address
        self._conversation = Conversation(self._server, self._opened)

    def check(self) -> None:
        """Check what the server offers and whether it accepts our sender. Raises `ServerUnusable`."""
        self._conversation.check(self.sender.address)
        _record(lambda connection: server_state.record_success(connection, self.address))

    def send(self, message: Message, before_handover: Callable[[], None]) -> None:
        """As `Conversation.send`."""
        self._conversation.send(message, before_handover)

    def close(self) -> None:
        self._conversation.close()

    def note_trouble(self, trouble: NotSent) -> None:
        """Log, and store for administrators, why nothing is sent."""
        log.warning("Mails wait. %s", trouble)
        _record(lambda connection: server_state.record_trouble(connection, self.address, str(trouble)))

    def _opened(self, takes_utf8: bool) -> None:
        _record(lambda connection: server_state.record_offer(connection, self.address, takes_utf8=takes_utf8))


def send_one(session: MailSession, stop: threading.Event | None = None) -> Outcome | None:
    """Send the message that has been due longest; None when there is none.

    Raises `ServerUnusable`, which no message is to blame for, and the database's errors as long as nothing has left:
    what has left is recorded, however often that has to be tried.
    """
    attempted, mail_id = False, 0
    try:
        with jobs_transaction() as connection:
            claimed = _claim(connection)
            if claimed is None:
                return None
            mail_id = claimed
            row = connection.execute(select(mail).where(mail.c.id == mail_id, *_is_due())).one_or_none()
            if row is None:  # another worker was done with it between our two looks
                return Outcome.WITHDRAWN
            error = _attempt(connection, session, row)
            attempted = True
            outcome = settle(connection, mail_id, error, session.address)
    except SQLAlchemyError as lost:
        if not attempted:
            raise
        log.warning("What became of message %s is recorded once more: %s", mail_id, type(lost).__name__)
        outcome = _insist(lambda connection: settle(connection, mail_id, error, session.address), stop)
    if isinstance(error, ServerUnusable):
        raise error
    if isinstance(error, RefusedUs):
        session.note_trouble(error)
    return outcome


def count_due(connection: Connection) -> int:
    """The number of due messages that no worker has begun to hand over."""
    due = select(func.count()).select_from(mail).where(*_is_due(), ~_is_handed_over())
    return int(connection.execute(due).scalar_one())


def _is_due() -> tuple[ColumnElement[bool], ...]:
    return mail.c.state == MailState.QUEUED, mail.c.next_attempt_at <= func.now()


def _is_handed_over() -> ColumnElement[bool]:
    return exists().where(
        mail_handover.c.mail_id == mail.c.id,
        mail_handover.c.at >= mail.c.queued_at,  # else of an attempt before somebody pressed Send again
    )


def _claim(connection: Connection) -> int | None:
    """Of the messages that are due, the first that nobody else has claimed.

    The claim ends with the transaction, and so with a worker that dies.
    """
    due = (
        select(mail.c.id)
        .where(*_is_due())
        .order_by(mail.c.next_attempt_at, mail.c.id)
        .limit(_LOOKED_AT)  # which also keeps PostgreSQL from claiming more than it looks at below
        .subquery()
    )
    return connection.execute(select(due.c.id).where(claim_of(due.c.id)).limit(1)).scalar_one_or_none()


def _attempt(connection: Connection, session: MailSession, row: Row[*tuple[object, ...]]) -> NotSent | None:
    """None when the server has accepted the message, else why it was not sent."""
    if _was_handed_over(connection, row.id):  # by a worker that ended before it could say more
        return OutcomeUnknown(
            "A worker ended while the mail server was given the message, so it may or may not have arrived."
        )
    if reason := _refusal_reason(connection, row):
        return Refused(reason)
    try:
        content = MailContent(**{name: getattr(row, name) for name in MailContent._fields})
        message = compose(content, sender=session.sender)
    except ValueError:
        return Refused(NO_ADDRESS)
    except Exception:  # a defect of ours, over which the other messages must not wait
        log.exception("Message %s could not be put into words.", row.id)
        return Deferred("The message could not be put into words. The worker's log says more.")
    try:
        session.send(message, lambda: _hand_over(row))
    except NotSent as error:
        return error
    return None


def _hand_over(row: Row[*tuple[object, ...]]) -> None:
    """Records, before the first byte leaves and in a transaction of its own, that the server has the message.

    Raises `Withdrawn`, and `Refused` when the order has changed meanwhile. There may be the row of a handover already:
    of an attempt before somebody pressed *Send again*.
    """
    with jobs_transaction() as connection:
        now = connection.execute(locked_mail(row.id)).one_or_none()
        if now is None or now.state != MailState.QUEUED or now.to_address != row.to_address:
            raise Withdrawn("Somebody took the message back.")
        if _was_handed_over(connection, row.id):
            raise Withdrawn("Another worker has handed it over.")
        if reason := _refusal_reason(connection, now):
            raise Refused(reason)
        connection.execute(
            insert(mail_handover)
            .values(mail_id=row.id)
            .on_conflict_do_update(index_elements=["mail_id"], set_={"at": func.now()})
        )


def _was_handed_over(connection: Connection, mail_id: int) -> bool:
    # A statement of its own: it has to see what was recorded just before the claim or the lock was given back.
    statement = select(mail.c.id).where(mail.c.id == mail_id, _is_handed_over())
    return connection.execute(statement).first() is not None


def _refusal_reason(connection: Connection, row: Row[*tuple[object, ...]]) -> str | None:
    """Why the message must not go (any more): the order may have changed while it waited."""
    if row.to_address is None:
        return "The address was deleted."
    if row.kind == MailKind.CUSTOMER_REFUND:
        return _why_customer_not_told(connection, row)
    if row.kind != MailKind.LICENCE:
        return None
    order = connection.execute(
        select(
            orders.c.status,
            orders.c.customer_erased,
            orders.c.email,
            checkout_page.c.delivery_allowed,
            activation_code.c.deleted,
            activation_code.c.code_key,
            order_item.c.refunded,
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .outerjoin(
            activation_code,
            (activation_code.c.order_id == orders.c.order_id)
            & (activation_code.c.position == row.position)
            & (activation_code.c.number == row.number),
        )
        .outerjoin(
            order_item, (order_item.c.order_id == orders.c.order_id) & (order_item.c.position == row.position)
        )
        .where(orders.c.order_id == row.order_id)
    ).one()
    if order.deleted is not False:
        return "The activation code was deleted meanwhile."
    if order.refunded and was_deleted_elsewhere(connection, row.order_id, order.code_key):
        return COPY_DELETED
    if order.email != row.to_address:
        return "The customer's e-mail was changed meanwhile."
    return why_not_sent(
        status=order.status,
        delivery_allowed=order.delivery_allowed,
        customer_erased=order.customer_erased,
        email=order.email,
        utf8=Utf8.TAKEN,  # what the server takes shows on the connection
    )


def _why_customer_not_told(connection: Connection, row: Row[*tuple[object, ...]]) -> str | None:
    order = connection.execute(
        select(orders.c.customer_erased, orders.c.email).where(orders.c.order_id == row.order_id)
    ).one()
    if order.customer_erased:
        return "The customer's data was deleted."
    if order.email != row.to_address:
        return "The customer's e-mail was changed meanwhile."
    return None


def _insist(work: Callable[[Connection], Outcome], stop: threading.Event | None) -> Outcome:
    """Repeats a transaction until it succeeds; for a few seconds only after `stop` is set."""
    pause, deadline = 0.1, None
    while True:
        try:
            with jobs_transaction() as connection:
                return work(connection)
        except SQLAlchemyError:
            now = time.monotonic()
            if stop and stop.is_set():
                deadline = deadline or now + _LAST_SECONDS
            if deadline and now > deadline:
                raise
            log.warning("The database could not record what became of a message; trying again.")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _record(work: Callable[[Connection], None]) -> None:
    # The state of the server is for the pages: no message waits or fails for it.
    try:
        with jobs_transaction() as connection:
            work(connection)
    except SQLAlchemyError as error:
        log.warning("What is known of the mail server could not be kept: %s", error)
