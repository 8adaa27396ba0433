"""`python -m services.mail`: sends what is in the outbox, each message once. `--once` sends what is due and ends.

Why a message cannot be sent twice, whatever happens to a worker: docs/decisions/007-mail-is-handed-over-once.md.
"""

import argparse
import logging
import signal
import sys
import threading
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from db.connections.engine import jobs_transaction
from db.environment import SettingsError
from services.delivery.mail import MailSession, count_due, send_one
from services.delivery.records import Outcome, add_missing_lines
from services.mail.server_address import check_mail_settings
from services.mail.smtp import ServerUnusable
from services.settings import settings

log = logging.getLogger("esupport.mail")
_LOOK_EVERY_SECONDS: Final = 1.0
# While the server cannot be used: pauses that double between these two.
_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 300.0
_LONGEST_WITHOUT_DATABASE: Final = 30.0


@dataclass(slots=True)
class DeliveryCounts:
    """What one round did; `deferred` messages will be tried again. `trouble` says why no message could go."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    trouble: str | None = None

    def __str__(self) -> str:
        return f"{self.sent} sent, {self.deferred} put off, {self.failed} failed"

    def count(self, outcome: Outcome) -> None:
        self.sent += outcome is Outcome.SENT
        self.deferred += outcome is Outcome.DEFERRED
        self.failed += outcome is Outcome.FAILED


def send_due(smtp_url: str, sender: str, stop: threading.Event | None = None) -> DeliveryCounts:
    """Sends every message that is due, oldest first, until none is left, the server fails or `stop` is set.

    Any number of workers may do this at once: each message is claimed by the one that sends it. When the server is at
    fault, or what we are set to tell it, all that are due stay as they are.
    """
    counts = DeliveryCounts()
    add_missing_lines()
    try:
        session = MailSession(smtp_url, sender)
    except ServerUnusable as error:
        log.warning("Mails wait. %s", error)
        return _all_wait(counts, error)
    try:
        while not (stop and stop.is_set()):
            outcome = send_one(session, stop)
            if outcome is None:
                break
            counts.count(outcome)
    except ServerUnusable as error:
        session.note_trouble(error)
        return _all_wait(counts, error)
    finally:
        session.close()
    return counts


def _all_wait(counts: DeliveryCounts, error: ServerUnusable) -> DeliveryCounts:
    with jobs_transaction() as connection:
        counts.deferred += count_due(connection)
    counts.trouble = str(error)
    return counts


def _work(smtp_url: str | None, sender: str, stop: threading.Event) -> None:
    """Until `stop` is set. A database or a mail server that is away is waited for."""
    if smtp_url is None:
        log.warning("SMTP_URL is not set: messages stay in the mail log.")
        stop.wait()
        return
    is_usable, pause = False, 0.0
    while not stop.wait(pause):
        try:
            # What the server offers is found out at the start, and again after it could not be used.
            is_usable = (is_usable or look_at(smtp_url, sender)) and _round(smtp_url, sender, stop)
            pause = _LOOK_EVERY_SECONDS if is_usable else _next_pause(pause, _FIRST_PAUSE, _LONGEST_PAUSE)
        except SQLAlchemyError as error:
            log.warning("The database does not answer: %s", getattr(error, "orig", None) or error)
            pause = _next_pause(pause, _LOOK_EVERY_SECONDS, _LONGEST_WITHOUT_DATABASE)


def _round(smtp_url: str, sender: str, stop: threading.Event) -> bool:
    """Whether the server could be used."""
    counts = send_due(smtp_url, sender, stop)
    if counts.sent or counts.deferred or counts.failed:
        log.info("%s", counts)
    return counts.trouble is None


def _next_pause(last: float, first: float, longest: float) -> float:
    return min(max(first, 2 * last), longest)


def look_at(smtp_url: str, sender: str) -> bool:
    """Whether the server takes us on. What it offers is known to the pages afterwards."""
    session = MailSession(smtp_url, sender)
    try:
        session.check()
    except ServerUnusable as error:
        session.note_trouble(error)
        return False
    finally:
        session.close()
    return True


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
        check_mail_settings()
        current = settings()
        if not once:
            _work(current.mail.smtp_url, current.mail.sender, stop)
        elif current.mail.smtp_url is None:
            print("SMTP_URL is not set: messages stay in the mail log.")
        else:
            print(send_due(current.mail.smtp_url, current.mail.sender, stop))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
