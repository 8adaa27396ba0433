"""`python -m services.mail`: sends what is in the outbox, each message once. `--once` sends what is due and ends.

Why a message cannot be sent twice, whatever happens to a worker: docs/decisions/007-mail-is-handed-over-once.md.
"""

import argparse
import logging
import random
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, any_, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import OperationalError

from db.engine import jobs_transaction
from db.settings import SettingsError, settings
from db.tables import account, activation_code, checkout_page, mail, mail_handover, order_history, orders
from services.licences import why_not_sent
from services.outbox import REMOVED, SECRET_KINDS
from services.smtp import (
    Conversation,
    NotSent,
    PutOff,
    Refused,
    ServerUnusable,
    Unanswered,
    compose,
    server_of,
)

log = logging.getLogger("esupport.mail")
GIVE_UP_AFTER: Final = timedelta(days=1)
_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_LOOK_EVERY_SECONDS: Final = 1.0


@dataclass(slots=True)
class Tally:
    """What one round did; `put_off` messages will be tried again."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.sent} sent, {self.put_off} put off, {self.failed} failed"


def send_due(smtp_url: str, sender: str, stop: threading.Event | None = None) -> Tally:
    """Sends every message that is due, oldest first, until none is left, the server fails or `stop` is set.

    Any number of workers may do this at once: each message is locked by the one that sends it.
    """
    tally = Tally()
    conversation = Conversation(server_of(smtp_url))
    try:
        while not (stop and stop.is_set()):
            try:
                if not _send_one(conversation, sender, tally):
                    break
            except ServerUnusable as error:
                _put_off_all(error, tally)
                break
    finally:
        conversation.close()
    return tally


def _send_one(conversation: Conversation, sender: str, tally: Tally) -> bool:
    """Sends the message that is due longest; False when there is none. Raises `ServerUnusable`."""
    with jobs_transaction() as connection:
        # The lock lasts until the outcome is recorded; a worker that dies gives it back at once.
        row = connection.execute(_due().limit(1)).one_or_none()
        if row is None:
            return False
        if _handed_over(connection, [row.id]):
            lost = "A worker ended while the mail server was given the message, so it may or may not have arrived."
            _fail(connection, row, Unanswered(lost), tally)
            return True
        why_not = _why_not(connection, row)
        unusable = None
        try:
            if why_not:
                raise Refused(why_not)
            conversation.send(compose(row, sender=sender), lambda: _record_handover(row.id))
        except PutOff as error:
            _put_off(connection, row, error, tally)
            unusable = error if isinstance(error, ServerUnusable) else None
        except (Refused, Unanswered) as error:
            _fail(connection, row, error, tally)
        else:
            _record_sent(connection, row, tally)
    if unusable:
        raise unusable
    return True


def _due() -> Any:
    return (
        select(mail)
        .where(mail.c.state == "queued", mail.c.next_attempt_at <= func.now())
        .order_by(mail.c.next_attempt_at, mail.c.id)
        # Not the row's key, which the handover's row refers to from another connection.
        .with_for_update(skip_locked=True, key_share=True)
    )


def _handed_over(connection: Connection, mail_ids: Sequence[int]) -> set[int]:
    """Those that a worker gave to a server and then ended. Their rows must be locked.

    A statement of its own, for it has to see what was recorded just before the locks were given back.
    """
    found = (
        select(mail_handover.c.mail_id)
        .join(mail, mail.c.id == mail_handover.c.mail_id)
        .where(
            mail_handover.c.mail_id == any_(literal(list(mail_ids), ARRAY(BigInteger))),
            mail_handover.c.at >= mail.c.queued_at,  # else of an attempt before somebody pressed Send again
        )
    )
    return set(connection.execute(found).scalars())


def _record_handover(mail_id: int) -> None:
    """In a transaction of its own, which has ended before the first byte of the message leaves.

    There may be a row by now: of a worker that was killed while it waited for the end of this very transaction, and so
    before it sent anything.
    """
    with jobs_transaction() as connection:
        connection.execute(
            upsert(mail_handover)
            .values(mail_id=mail_id)
            .on_conflict_do_update(index_elements=["mail_id"], set_={"at": func.now()})
        )


def _record_sent(connection: Connection, row: Any, tally: Tally) -> None:
    now = func.clock_timestamp()
    # A password stays nowhere once it is on its way.
    removed = {"text_body": REMOVED, "html_body": None} if row.kind in SECRET_KINDS else {}
    _update(connection, row, state="sent", sent_at=now, attempts=row.attempts + 1, last_error=None, **removed)
    if row.kind == "licence":
        text = f"Licence e-mail has been sent to {row.to_address} (item {row.position}, code {row.number})"
        _add_line(connection, row, "email", text)
    tally.sent += 1


def _put_off(connection: Connection, row: Any, error: PutOff, tally: Tally) -> None:
    """Pauses that double, each shortened by chance so that messages do not come back all at once."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(row.attempts, 20))
    pause *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    if datetime.now(UTC) + pause > row.queued_at + GIVE_UP_AFTER:
        _fail(connection, row, Refused(f"Given up after a day. {error}"), tally)
        return
    _update(
        connection,
        row,
        attempts=row.attempts + 1,
        next_attempt_at=func.clock_timestamp() + pause,
        last_error=str(error),
    )
    tally.put_off += 1


def _put_off_all(error: ServerUnusable, tally: Tally) -> None:
    """What stops one message stops all that are due: none of them has to find out by itself."""
    with jobs_transaction() as connection:
        rows = connection.execute(_due()).all()
        handed_over = _handed_over(connection, [row.id for row in rows])
        for row in rows:
            if row.id not in handed_over:
                _put_off(connection, row, error, tally)


def _fail(connection: Connection, row: Any, error: NotSent, tally: Tally) -> None:
    _update(connection, row, state="failed", attempts=row.attempts + 1, last_error=str(error))
    what = "Licence e-mail" if row.kind == "licence" else "E-mail"
    if row.order_id is not None:
        _add_line(connection, row, "error", f"{what} to {row.to_address} failed. {error}")
    tally.failed += 1


def _update(connection: Connection, row: Any, **values: Any) -> None:
    connection.execute(update(mail).where(mail.c.id == row.id).values(**values))
    connection.execute(delete(mail_handover).where(mail_handover.c.mail_id == row.id))


def _add_line(connection: Connection, row: Any, kind: str, text: str) -> None:
    author = select(account.c.name).where(account.c.id == row.account_id).scalar_subquery()
    connection.execute(
        insert(order_history).values(
            order_id=row.order_id,
            checkout_page_id=row.checkout_page_id,
            at=func.clock_timestamp(),
            kind=kind,
            text=text,
            source="portal",
            account_id=row.account_id,
            author=author if row.kind == "licence" else None,
        )
    )


def _why_not(connection: Connection, row: Any) -> str | None:
    """Why the message must not go (any more): the order may have changed while it waited."""
    if row.to_address is None:
        return "The address was deleted."
    if row.kind != "licence":
        return None
    found = connection.execute(
        select(
            orders.c.status,
            orders.c.customer_erased,
            orders.c.email,
            checkout_page.c.delivery_allowed,
            activation_code.c.deleted,
        )
        .join(checkout_page, checkout_page.c.id == orders.c.checkout_page_id)
        .outerjoin(
            activation_code,
            (activation_code.c.order_id == orders.c.order_id)
            & (activation_code.c.position == row.position)
            & (activation_code.c.number == row.number),
        )
        .where(orders.c.order_id == row.order_id)
    ).one()
    if found.deleted is not False:
        return "The activation code was deleted meanwhile."
    if found.email != row.to_address:
        return "The customer's e-mail was changed meanwhile."
    return why_not_sent(
        status=found.status,
        delivery_allowed=found.delivery_allowed,
        customer_erased=found.customer_erased,
        email=found.email,
    )


def _work(smtp_url: str | None, sender: str, stop: threading.Event) -> None:
    """Until `stop` is set. A database that is away is waited for."""
    if smtp_url is None:
        log.warning("SMTP_URL is not set: messages stay in the mail log.")
        stop.wait()
        return
    pause = _LOOK_EVERY_SECONDS
    while not stop.wait(pause):
        try:
            tally = send_due(smtp_url, sender, stop)
            pause = _LOOK_EVERY_SECONDS
            if tally.sent or tally.put_off or tally.failed:
                log.info("%s", tally)
        except OperationalError as error:
            log.warning("The database does not answer: %s", error.orig)
            pause = min(2 * pause, 30.0)


def main(arguments: list[str] | None = None) -> int:
    """The command's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m services.mail", description="Sends the mails in the outbox."
    )
    parser.add_argument("--once", action="store_true", help="send what is due, then end")
    once = parser.parse_args(arguments).once
    logging.basicConfig(level=logging.INFO, format="mail worker: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        current = settings()
        if not once:
            _work(current.smtp_url, current.mail_from, stop)
        elif current.smtp_url is None:
            print("SMTP_URL is not set: messages stay in the mail log.")
        else:
            print(send_due(current.smtp_url, current.mail_from, stop))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
