"""`python -m services.mail`: the worker for everything that pages do not wait for.

It sends mail, delivers events to shops and providers, applies their messages, and acts on many orders at once. `--once`
does what is due and ends.
"""

import argparse
import logging
import signal
import sys
import threading
from types import FrameType
from typing import Final

from db.environment import SettingsError
from services.bulk.working import work_due
from services.delivery.bulk_rounds import BulkSource
from services.delivery.digests import DigestSource, write_due_digests
from services.delivery.dispatching import DeliverySource, deliver_due
from services.delivery.incoming import apply_incoming
from services.delivery.mail_rounds import MailSource, send_due
from services.delivery.notifications import start_listening
from services.delivery.outcomes import Fate
from services.delivery.sources import Rest, Source, Turns
from services.mail.server_address import check_mail_settings
from services.settings import MailSettings, settings

log = logging.getLogger("esupport.worker")
NO_SERVER: Final = "SMTP_URL is not set: messages stay in the mail log."


class InboxSource:
    """The inbox as a source of work."""

    table: Final = "inbox"

    def round(self, stop: threading.Event) -> Rest:
        apply_incoming(stop)
        return Rest()

    def close(self) -> None:
        """Nothing is under way between two rounds."""


def main(arguments: list[str] | None = None) -> int:
    """The command's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m services.mail",
        description="Sends the mail that waits, delivers events to shops, applies what shops have sent, and carries "
        "out what people began for many orders.",
    )
    parser.add_argument("--once", action="store_true", help="do what is due, then end")
    once = parser.parse_args(arguments).once
    logging.basicConfig(level=logging.INFO, format="mail worker: %(message)s")
    turns = Turns()
    _end_on_signals(turns)
    try:
        check_mail_settings()
        if once:
            _work_once(settings().mail, turns.stop)
        else:
            _work(settings().mail, turns)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end_on_signals(turns: Turns) -> None:
    is_told = False

    def end(number: int, frame: FrameType | None) -> None:
        # Once: a second signal must not come in between while the first sets the events.
        nonlocal is_told
        if not is_told:
            is_told = True
            turns.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _work(mail: MailSettings, turns: Turns) -> None:
    """Until it is told to stop. A database, a mail server or a shop that is away is waited for."""
    sources: list[Source] = [
        InboxSource(),
        BulkSource(),
        DeliverySource(turns.alarm(DeliverySource.table)),
        DigestSource(),
    ]
    if mail.smtp_url is None:
        log.warning(NO_SERVER)
    else:
        sources.append(MailSource(mail.smtp_url, mail.sender))
    start_listening(turns)
    turns.run(sources)


def _work_once(mail: MailSettings, stop: threading.Event) -> None:
    """Mail last: applying an answer, acting on an order, or giving a delivery up, writes some."""
    applied, settled, deliveries = apply_incoming(stop), work_due(stop), deliver_due(stop)
    write_due_digests(stop)
    if mail.smtp_url is None:
        print(NO_SERVER)
    else:
        print(send_due(mail.smtp_url, mail.sender, stop))
    if deliveries:
        print("Deliveries: " + ", ".join(f"{deliveries[fate]} {fate}" for fate in Fate))
    if applied:
        print(f"Inbox: {applied} settled")
    if settled:
        print(f"Many orders at once: {settled} settled")
