"""A conversation with a mail server, reported so that the worker knows at each step what may have arrived.

Whose fault an answer is, and therefore what happens to the message: docs/decisions/014-whose-fault-an-answer-is.md.
"""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable
from typing import Final

from services.mail.addresses import NO_UTF8
from services.mail.message import Message
from services.mail.server_address import Server

# Answers that are about the sender, whichever command they follow: closing down, TLS, signing in.
_ABOUT_US: Final = (421, 454, 530, 534, 535, 538)
# Answers to how we speak, and enhanced status codes about our address or our right to send as it (RFC 3463, 4954, 7372
# and IANA's registry; 5.7.60 is Exchange's).
_OUR_MANNERS: Final = (500, 502, 503, 504, 505)
_OUR_STATUS: Final = re.compile(r"\b[45]\.(1\.[78]|7\.(3|8|9|10|11|13|14|2[0-9]|60))\b")
# How servers that answer all of it after the recipient, as Postfix does by default, speak of the sender or connection.
_OUR_WORDS: Final = re.compile(r"\brelay|\bsender\b|\bhelo\b|\behlo\b|client host|authenticat", re.IGNORECASE)
_TOO_LARGE: Final = re.compile(r"552\b|\d{3}[ -]5\.(3\.4|2\.3)\b")
_NOT_UTF8: Final = re.compile(r"\d{3}[ -]5\.6\.[0-9]\b")


class NotSent(Exception):
    """The message did not arrive, or (`OutcomeUnknown`) may not have; the text tells people why.

    `answer` is the server's own reply, which may repeat an address; it ends the text.
    """

    def __init__(self, why: str, answer: str = "") -> None:
        self.is_servers = bool(answer)
        why = f"{why} {answer}" if answer else why
        super().__init__(" ".join("".join(c for c in why if c.isprintable() or c.isspace()).split())[:500])


class Deferred(NotSent):
    """The message was not accepted now; it may be accepted later."""


class RefusedUs(Deferred):
    """The server refuses the sender in an answer to this message's recipient or content; other messages may go."""


class ServerUnusable(Deferred):
    """The server cannot be reached or accepts no mail from this sender at all: no message can go now."""


class Refused(NotSent):
    """The server will never accept this message."""


class OutcomeUnknown(NotSent):
    """The whole message was handed over, and no answer came: only a person can find out whether it arrived."""


class Conversation:
    """A connection that is opened for the first message and reused for the next ones.

    `on_open` is called with each new connection and learns whether the server offers SMTPUTF8.
    """

    def __init__(self, server: Server, on_open: Callable[[bool], None] = lambda _: None) -> None:
        self._server = server
        self._on_open = on_open
        self._smtp: smtplib.SMTP | None = None

    def check(self, sender: str) -> None:
        """Open a connection and have the sender accepted, without sending anything. Raises `ServerUnusable`."""
        try:
            smtp = self._smtp or self._open()
            self._say_sender(smtp, Message(sender, "", b""))
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ServerUnusable(f"{self._server.address} could not be used: {_reason(error)}.") from error
        finally:
            self._begin_anew()

    def send(self, message: Message, before_handover: Callable[[], None]) -> None:
        """Send a message; return when the server has accepted it.

        `before_handover` is called once everything but the message itself has been sent and agreed: if it was called
        and this neither returns nor raises (the process died), the message may have arrived. Its exceptions are raised
        here, and the message is not sent. Raises one of the errors above; after `Deferred` and `Refused` the message
        did not arrive.
        """
        is_kept = self._smtp is not None
        try:
            smtp = self._smtp or self._open()
            try:
                self._say_sender(smtp, message)
            except smtplib.SMTPServerDisconnected:
                if not is_kept:
                    raise
                self.close()  # the server may have closed an idle connection: one retry with a new one
                smtp = self._open()
                self._say_sender(smtp, message)
        except NotSent:
            self._begin_anew()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ServerUnusable(f"The connection to the mail server broke: {_reason(error)}.") from error
        try:
            _expect(smtp.docmd(f"RCPT TO:<{message.recipient}>"), message, 250, 251)
            _expect(smtp.docmd("DATA"), message, 354)
            self._hand_over(smtp, message, before_handover)
        except NotSent:
            self._begin_anew()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Deferred(f"The connection to the mail server broke: {_reason(error)}.") from error

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.close()

    def _open(self) -> smtplib.SMTP:
        server = self._server
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
            answer = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise ServerUnusable(f"{server.address} answered {answer}.") from error
        except UnicodeError as error:
            self.close()
            raise ServerUnusable(
                "The user or the password in SMTP_URL has letters outside ASCII, which cannot be sent."
            ) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self.close()
            raise ServerUnusable(f"{server.address} could not be used: {_reason(error)}.") from error
        self._on_open(smtp.has_extn("smtputf8"))
        return smtp

    def _say_sender(self, smtp: smtplib.SMTP, message: Message) -> None:
        options = []
        if message.needs_utf8:
            if not smtp.has_extn("smtputf8"):
                if not message.sender.isascii():
                    raise ServerUnusable(
                        "MAIL_FROM has letters outside ASCII before the @, which the mail server does not take."
                    )
                raise Refused(NO_UTF8)
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        if message.content and smtp.has_extn("size"):
            options.append(f"SIZE={len(message.content)}")
        smtp.command_encoding = "utf-8" if message.needs_utf8 else "ascii"
        answer = smtp.docmd(" ".join([f"MAIL FROM:<{message.sender}>", *options]))
        if answer[0] == 250:
            return
        reply = _answer(answer)
        is_about_letters = message.needs_utf8 and message.sender.isascii() and _NOT_UTF8.match(reply)
        if message.content and answer[0] >= 500 and (_TOO_LARGE.match(reply) or is_about_letters):
            raise Refused("The mail server answered", reply)
        if answer[0] == -1:
            raise smtplib.SMTPServerDisconnected(reply)
        raise ServerUnusable("The mail server answered", reply)

    def _hand_over(self, smtp: smtplib.SMTP, message: Message, before_handover: Callable[[], None]) -> None:
        # The line with a single dot that ends a message must not occur inside it.
        quoted = re.sub(rb"(?m)^\.", b"..", message.content)
        try:
            before_handover()
        except BaseException:
            self.close()  # the server waits for content; a connection that ends instead delivers no message
            raise
        smtp.send(quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        try:
            answer = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise OutcomeUnknown(
                "The mail server was given the message and did not answer, so it may or may not have arrived."
            ) from error
        _expect(answer, message, 250)

    def _begin_anew(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.close()


def _expect(answer: tuple[int, bytes], message: Message, *good: int) -> None:
    """Raise the error for an answer to a recipient or to the content, according to whose fault it is."""
    code = answer[0]
    if code in good:
        return
    reply = _answer(answer)
    if code == -1:
        raise smtplib.SMTPServerDisconnected(reply)
    why = "The mail server answered"
    # An answer about the sender is shown and stored apart from the message, and so without its recipient.
    nameless = re.sub(re.escape(message.recipient), "…", reply, flags=re.IGNORECASE)
    if code in _ABOUT_US:
        raise ServerUnusable(why, nameless)
    if not _TOO_LARGE.match(reply) and _is_about_us(code, nameless):
        raise RefusedUs(why, nameless)
    raise Refused(why, reply) if 500 <= code < 600 else Deferred(why, reply)


def _is_about_us(code: int, reply: str) -> bool:
    return code in _OUR_MANNERS or bool(_OUR_STATUS.search(reply) or _OUR_WORDS.search(reply))


def _answer(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {_text(answer[1])}"


def _reason(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason.rstrip(".")


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
