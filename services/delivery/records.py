"""Records of a message's outcome: its row, and the line in its order's history.

The transactions here lock the message first and never wait for an order after that. An order that somebody holds gets
its line later (`add_missing_lines`), so that no worker waits in a circle with those who lock the order first.
"""

import random
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from db.connections.engine import jobs_transaction
from db.schema.mail_tables import mail, mail_handover
from db.schema.order_tables import orders
from db.schema.statuses import CUSTOMER_MAILS, MailKind, MailState
from services.mail.outbox import REMOVED, SECRET_KINDS
from services.mail.server_state import record_success
from services.mail.smtp import Deferred, NotSent, Refused, RefusedUs, ServerUnusable
from services.order_actions.history import Event, add_mail_event

GIVE_UP_AFTER: Final = timedelta(days=1)
TAKEN_BACK: Final = "Taken back: the customer's data was deleted."
_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_LINES_AT_ONCE: Final = 100


class Outcome(StrEnum):
    SENT = "sent"
    DEFERRED = "put off"
    FAILED = "failed"
    WAITS = "waits"  # as it did before
    WITHDRAWN = "withdrawn"


class Withdrawn(NotSent):
    """The message was taken back, or somebody else has handed it over: it is not ours any more."""


def locked_mail(mail_id: int, *, skip_locked: bool = False) -> Select[*tuple[object, ...]]:
    """The statement that locks a message for a change; not its key, which the row of its handover refers to."""
    return select(mail).where(mail.c.id == mail_id).with_for_update(key_share=True, skip_locked=skip_locked)


def settle(connection: Connection, mail_id: int, error: NotSent | None, server_address: str) -> Outcome:
    """Records what became of a message: accepted by the server (`error` is None), or not.

    May be repeated: what was recorded is not recorded again. What was accepted is *sent*, whatever has happened to its
    row meanwhile. Anything else leaves a message alone that was taken back meanwhile.
    """
    row = connection.execute(locked_mail(mail_id)).one_or_none()
    if row is None or isinstance(error, Withdrawn):
        return Outcome.WITHDRAWN
    if error is None:
        if row.state != MailState.SENT:
            _record_sent(connection, row)
            record_success(connection, server_address)
        return Outcome.SENT
    if row.state != MailState.QUEUED:
        return Outcome.WITHDRAWN
    if not isinstance(error, Deferred):
        return _fail(connection, row, error)
    if row.to_address is None:
        return _fail(connection, row, Refused(TAKEN_BACK))
    if isinstance(error, ServerUnusable):
        _forget_handover(connection, mail_id)
        return Outcome.WAITS
    return _defer(connection, row, error)


def add_missing_lines() -> None:
    """Write the lines that histories still lack, for the orders that are no longer locked."""
    with jobs_transaction() as connection:
        lacking = select(mail.c.id).where(mail.c.lacks_line).order_by(mail.c.id).limit(_LINES_AT_ONCE)
        mail_ids = connection.execute(lacking).scalars().all()
    for mail_id in mail_ids:
        with jobs_transaction() as connection:
            still = locked_mail(mail_id, skip_locked=True).where(mail.c.lacks_line)
            row = connection.execute(still).one_or_none()
            if row is not None and _take_order(connection, row):
                connection.execute(update(mail).where(mail.c.id == mail_id).values(lacks_line=False))
                _write_line(connection, row)


def _record_sent(connection: Connection, row: Row[*tuple[object, ...]]) -> None:
    # A password stays nowhere once it is on its way.
    removed = {"text_body": REMOVED, "html_body": None} if row.kind in SECRET_KINDS else {}
    values = {"state": MailState.SENT, "sent_at": func.clock_timestamp(), "last_error": None}
    _update(connection, row, has_line=row.kind in CUSTOMER_MAILS, **values, **removed)


def _defer(connection: Connection, row: Row[*tuple[object, ...]], error: Deferred) -> Outcome:
    """Pauses that double, each shortened by chance so that messages do not come back all at once.

    A day of answers about this message is enough; those about us are no reason to give a message up.
    """
    now = datetime.now(UTC)
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(row.attempts, 20))
    pause *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    since = row.refused_since
    if not isinstance(error, RefusedUs):
        since = since or now
        if now + pause > since + GIVE_UP_AFTER:
            return _fail(connection, row, Refused(f"Given up after a day. {error}"))
    _update(connection, row, next_attempt_at=now + pause, refused_since=since, last_error=str(error))
    return Outcome.DEFERRED


def _fail(connection: Connection, row: Row[*tuple[object, ...]], error: NotSent) -> Outcome:
    # A server's answer may repeat the address, which is not to come back.
    why = str(error) if row.to_address or not error.is_servers else "The mail server refused it."
    _update(connection, row, has_line=row.order_id is not None, state=MailState.FAILED, last_error=why)
    return Outcome.FAILED


def _update(
    connection: Connection, row: Row[*tuple[object, ...]], *, has_line: bool = False, **values: object
) -> None:
    """Change the message, once per transaction, and write its line if the order is free.

    A second change would make PostgreSQL check its order again, and wait for the transaction that holds it.
    """
    is_free = has_line and _take_order(connection, row)
    values |= {"attempts": row.attempts + 1, "lacks_line": has_line and not is_free}
    changed = connection.execute(
        update(mail).where(mail.c.id == row.id).values(**values).returning(mail)
    ).one()
    if is_free:
        _write_line(connection, changed)
    _forget_handover(connection, row.id)


def _forget_handover(connection: Connection, mail_id: int) -> None:
    connection.execute(delete(mail_handover).where(mail_handover.c.mail_id == mail_id))


def _take_order(connection: Connection, row: Row[*tuple[object, ...]]) -> bool:
    """Whether nobody holds the message's order, which then nobody takes until the transaction ends."""
    order = select(orders.c.order_id).where(orders.c.order_id == row.order_id)
    free = order.with_for_update(read=True, key_share=True, skip_locked=True)
    return connection.execute(free).first() is not None


def _write_line(connection: Connection, row: Row[*tuple[object, ...]]) -> None:
    is_licence = row.kind == MailKind.LICENCE
    if row.state == MailState.SENT:
        event = Event.LICENCE_SENT if is_licence else Event.CUSTOMER_TOLD
    else:
        event = Event.LICENCE_FAILED if is_licence else Event.MAIL_FAILED
    add_mail_event(
        connection,
        event,
        order_id=row.order_id,
        store_id=row.checkout_page_id,
        at=row.sent_at,
        account_id=row.account_id,
        is_authored=row.kind in CUSTOMER_MAILS,
        to=row.to_address or "deleted",
        position=str(row.position),
        number=str(row.number),
        reason=str(row.last_error),
    )
