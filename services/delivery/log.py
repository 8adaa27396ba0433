"""The mail log, for administrators: what was sent, what waits, what failed and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Row, func, insert, select, update

from db.schema.audit_actions import AuditAction
from db.schema.mail_tables import mail
from db.schema.statuses import MailState
from services.access import Viewer
from services.actions import ActionResult, action
from services.audit import recording
from services.errors import Conflict, NotAllowed, NotFound
from services.mail.outbox import REMOVED, SECRET_KINDS, claim_mail, new_message_id
from services.order_actions.locking import lock_order
from services.settings import settings

PAGE: Final = 50
_NOT_ANY_MORE: Final = "Your account may not do this any more."
HIDDEN: Final = "The text holds a secret for its recipient and is shown to nobody else."
# What a second message has in common with the first.
_WRITTEN: Final = (
    *("kind", "to_address", "to_name", "subject", "text_body", "html_body"),
    *("order_id", "checkout_page_id", "account_id", "position", "number"),
)


class MailNotFound(NotFound):
    message = "There is no such message."


class MailIsBeingSent(Conflict):
    message = "This message is being sent right now."


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A message as it was written; `to_address` is None once its owner's data was deleted.

    `text_body` is None in a list: `get_mail` alone reads it, and records that.
    """

    id: int
    message_id: str
    kind: str
    to_address: str | None
    to_name: str | None
    subject: str
    text_body: str | None
    order_id: int | None
    state: MailState
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None


def find_mails(
    connection: Connection,
    viewer: Viewer,
    *,
    state: MailState | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[LoggedMail, ...]:
    """Messages, newest first; `before` (an ID) goes on where an earlier page ended. Raises `NotAllowed`."""
    _check(viewer)
    statement = select(*_columns()).order_by(mail.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(mail.c.state == state)
    if before is not None:
        statement = statement.where(mail.c.id < before)
    return tuple(_logged(row) for row in connection.execute(statement))


def get_mail(connection: Connection, viewer: Viewer, mail_id: int, *, address: str | None) -> LoggedMail:
    """One message with its text, and the audit row that says who has read it.

    A text that holds a password, or a link to set one, is its owner's alone: with a mail server set it goes to them,
    and administrators do not see it even while it waits. Raises `NotAllowed`, `MailNotFound`.
    """
    _check(viewer)
    row = connection.execute(select(*_columns(), mail.c.text_body).where(mail.c.id == mail_id)).one_or_none()
    if row is None:
        raise MailNotFound
    is_hidden = row.kind in SECRET_KINDS and row.text_body != REMOVED and settings().mail.smtp_url is not None
    details = {"mail": mail_id, "kind": row.kind} | ({"hidden": True} if is_hidden else {})
    recording.record(
        connection, viewer, AuditAction.OPEN_MAIL, address=address, order_id=row.order_id, details=details
    )
    return replace(_logged(row), text_body=HIDDEN if is_hidden else row.text_body)


@action(AuditAction.SEND_MAIL_AGAIN)
def send_again(connection: Connection, viewer: Viewer, mail_id: int) -> ActionResult:
    """Put a message into the queue again.

    One that failed or waits keeps its Message-ID, so that a server which has it already can tell; of one that was
    sent, a second message is made. Raises `NotAllowed`, `MailNotFound`, `MailIsBeingSent`, and `Conflict` for one that
    can reach nobody any more.
    """
    _check(viewer)
    message = connection.execute(select(mail.c.order_id).where(mail.c.id == mail_id)).one_or_none()
    if message is None:
        raise MailNotFound
    if message.order_id is not None:
        # Before the message, as everybody does; a second one will refer to it.
        lock_order(connection, viewer, message.order_id)
    if not claim_mail(connection, mail_id):
        raise MailIsBeingSent
    statement = select(mail).where(mail.c.id == mail_id).with_for_update(key_share=True)
    row = connection.execute(statement).one_or_none()
    if row is None:  # it was seen a moment ago: the account may not change it any more
        raise NotAllowed(_NOT_ANY_MORE)
    if row.to_address is None:
        raise Conflict("The person's data was deleted, and the message with it.")
    if row.state == MailState.SENT and row.kind in SECRET_KINDS:
        raise Conflict("Its text held a secret and is gone. Reset the account's password instead.")
    if row.state == MailState.SENT:
        values = {name: getattr(row, name) for name in _WRITTEN} | {"message_id": new_message_id()}
        connection.execute(insert(mail).inline().values(**values))
    else:
        now = func.now()
        values = {"state": MailState.QUEUED, "attempts": 0, "next_attempt_at": now, "queued_at": now}
        begun_anew = {"refused_since": None, "last_error": None}
        changed = update(mail).where(mail.c.id == mail_id).values(**values, **begun_anew)
        if connection.execute(changed.returning(mail.c.id)).first() is None:
            raise NotAllowed(_NOT_ANY_MORE)
    return ActionResult("The message is in the queue again.", {"mail": mail_id, "was": row.state})


def _check(viewer: Viewer) -> None:
    if not viewer.may_administer:
        raise NotAllowed("Only administrators see the mail log.")


def _columns() -> list[Column[object]]:
    return [mail.c[name] for name in LoggedMail.__slots__ if name != "text_body"]


def _logged(row: Row[*tuple[object, ...]]) -> LoggedMail:
    values = {name: getattr(row, name) for name in LoggedMail.__slots__ if name != "text_body"}
    return LoggedMail(**values | {"state": MailState(row.state), "text_body": None})
