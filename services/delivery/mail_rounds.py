"""Rounds over the outgoing mail: each message that is due is sent once.

Why a message cannot be sent twice, whatever happens to a worker: docs/decisions/007-mail-is-handed-over-once.md.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Final

from db.connections.engine import jobs_transaction
from services.delivery.mail import MailSession, count_due, send_one
from services.delivery.records import Outcome, add_missing_lines
from services.delivery.sources import Rest, next_pause
from services.mail.smtp import ServerUnusable

log = logging.getLogger("esupport.mail")

# While the server cannot be used: pauses that double between these two.
_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 300.0


@dataclass(slots=True)
class MailCounts:
    """The result of one round; `deferred` messages will be tried again. `trouble` says why no message could go."""

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


def send_due(smtp_url: str, sender: str, stop: threading.Event | None = None) -> MailCounts:
    """Send every message that is due, oldest first, until none is left, the server fails or `stop` is set.

    Any number of workers may do this at once: each message is claimed by the one that sends it. When the server is at
    fault, or what we are set to tell it, all that are due stay as they are.
    """
    counts = MailCounts()
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


def _all_wait(counts: MailCounts, error: ServerUnusable) -> MailCounts:
    with jobs_transaction() as connection:
        counts.deferred += count_due(connection)
    counts.trouble = str(error)
    return counts


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


class MailSource:
    """The outgoing mail as a source of work. A mail server that is away is waited for."""

    table: Final = "mail"

    def __init__(self, smtp_url: str, sender: str) -> None:
        self._smtp_url: Final = smtp_url
        self._sender: Final = sender
        self._is_usable = False
        self._pause = 0.0

    def round(self, stop: threading.Event) -> Rest:
        # What the server offers is found out at the start, and again after it could not be used.
        self._is_usable = self._is_usable or look_at(self._smtp_url, self._sender)
        if self._is_usable:
            counts = send_due(self._smtp_url, self._sender, stop)
            if counts.sent or counts.deferred or counts.failed:
                log.info("%s", counts)
            self._is_usable = counts.trouble is None
        if self._is_usable:
            self._pause = 0.0
            return Rest()
        self._pause = next_pause(self._pause, _FIRST_PAUSE, _LONGEST_PAUSE)
        return Rest(self._pause, can_be_woken=False)

    def close(self) -> None:
        """Nothing is under way between two rounds."""
