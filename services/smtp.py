"""One conversation with a mail server, told so that the worker knows after each word what may have arrived."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from services.addresses import ascii_domain

DEFAULT_TIMEOUT: Final = 30.0
# Answers about who we are, not about the message: a matter of settings, so the message waits.
_ABOUT_US: Final = (421, 454, 530, 534, 535, 538)


class NotSent(Exception):
    """The message did not arrive, or (`Unanswered`) may not have; the text says why, for people."""

    def __init__(self, why: str) -> None:
        super().__init__(" ".join("".join(c for c in why if c.isprintable() or c.isspace()).split())[:500])


class PutOff(NotSent):
    """Not now: the same message may go later."""


class ServerUnusable(PutOff):
    """The server cannot be reached, or does not take mail from us at all: no message will go now."""


class Refused(NotSent):
    """The server will never take this message."""


class Unanswered(NotSent):
    """The whole message was handed over, and no answer came: only a person can find out whether it arrived."""


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    user: str | None
    password: str | None
    is_tls: bool
    starttls: bool
    timeout: float


def server_of(url: str) -> Server:
    """What an `SMTP_URL` means. Ports by default: 465 for smtps, 587 with starttls, else 25."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    is_tls = parts.scheme == "smtps"
    starttls = not is_tls and options.get("starttls", ["0"])[-1] not in ("", "0", "false", "no")
    try:
        timeout = float(options.get("timeout", [DEFAULT_TIMEOUT])[-1])
    except ValueError:
        timeout = DEFAULT_TIMEOUT
    return Server(
        host=parts.hostname or "localhost",
        port=parts.port or (465 if is_tls else 587 if starttls else 25),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_tls=is_tls,
        starttls=starttls,
        timeout=timeout if 0 < timeout < 3600 else DEFAULT_TIMEOUT,
    )


def compose(row: Any, *, sender: str) -> EmailMessage:
    """The message of a row of `mail`: plain text and HTML. Nothing in the row can add a header or a recipient.

    Raises `Refused` when the address is none that mail can be sent to.
    """
    sender_name, sender_address = parseaddr(sender)
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    try:
        message["From"] = Address(_name(sender_name), addr_spec=ascii_domain(sender_address))
        message["To"] = Address(_name(row.to_name), addr_spec=ascii_domain(row.to_address))
        message["Subject"] = _name(row.subject)
    except (MessageError, ValueError, IndexError) as error:
        raise Refused("The address is none that mail can be sent to.") from error
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = row.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(row.text_body)
    if row.html_body:
        message.add_alternative(row.html_body, subtype="html")
    return message


def _name(text: str | None) -> str:
    return " ".join("".join(c for c in text or "" if c.isprintable() or c.isspace()).split())


class Conversation:
    """A connection that is opened for the first message and kept for the next ones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: EmailMessage, before_handover: Callable[[], None]) -> None:
        """Returns when the server has accepted the message.

        `before_handover` is called once everything but the message itself has been said and agreed: when it was
        called and this neither returns nor raises (the process died), the message may have arrived. Raises one of the
        errors above; after `PutOff` and `Refused` the message did not arrive.
        """
        is_kept = self._smtp is not None
        try:
            smtp = self._smtp or self._open()
            try:
                self._agree(smtp, message)
            except smtplib.SMTPServerDisconnected:
                if not is_kept:
                    raise
                self.close()  # the server may have ended a connection that was idle; a new one, once
                smtp = self._open()
                self._agree(smtp, message)
            self._hand_over(smtp, message, before_handover)
        except NotSent:
            self._begin_anew()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise PutOff(f"The connection to the mail server broke: {error}.") from error

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.close()

    def _open(self) -> smtplib.SMTP:
        server = self._server
        where = f"{server.host}:{server.port}"
        try:
            context = ssl.create_default_context()
            if server.is_tls:
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=server.timeout, context=context
                )
            else:
                smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
            self._smtp = smtp
            smtp.ehlo_or_helo_if_needed()
            if server.starttls:
                smtp.starttls(context=context)
                smtp.ehlo()
            if server.user is not None:
                smtp.login(server.user, server.password or "")
        except smtplib.SMTPResponseException as error:
            self.close()
            raise ServerUnusable(f"{where} answered {error.smtp_code} {_text(error.smtp_error)}.") from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ServerUnusable(f"{where} could not be used: {error}.") from error
        return smtp

    def _agree(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        sender = message["From"].addresses[0].addr_spec
        recipient = message["To"].addresses[0].addr_spec
        options = []
        if not recipient.isascii() or not sender.isascii():
            if not smtp.has_extn("smtputf8"):
                raise Refused("The mail server takes no addresses with letters outside ASCII.")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        _expect(smtp.mail(sender, options), 250)
        _expect(smtp.rcpt(recipient), 250, 251)
        _expect(smtp.docmd("DATA"), 354)

    def _hand_over(
        self, smtp: smtplib.SMTP, message: EmailMessage, before_handover: Callable[[], None]
    ) -> None:
        is_ascii = message["To"].addresses[0].addr_spec.isascii()
        content = message.as_bytes(policy=policy.SMTP if is_ascii else policy.SMTPUTF8)
        # The lone dot that ends a message must not occur inside it.
        quoted = re.sub(rb"(?m)^\.", b"..", content)
        before_handover()
        smtp.send(quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        try:
            answer = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Unanswered(
                "The mail server was given the message and did not answer, so it may or may not have arrived."
            ) from error
        _expect(answer, 250)

    def _begin_anew(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.close()


def _expect(answer: tuple[int, bytes], *good: int) -> None:
    code, words = answer
    if code in good:
        return
    why = f"The mail server answered {code} {_text(words)}"
    if code == -1:
        raise smtplib.SMTPServerDisconnected(why)
    if code in _ABOUT_US:
        raise ServerUnusable(why)
    raise Refused(why) if 500 <= code < 600 else PutOff(why)


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
