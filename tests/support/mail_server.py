"""A real SMTP server on loopback that can be told to misbehave, and remembers what it accepted."""

import asyncio
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port

# An answer to a command ("451 …"), or one of these.
DROP, HANG = "drop the connection", "never answer"


@dataclass(slots=True)
class Accepted:
    """A message that the server took: its envelope, and its content as it came over the wire."""

    sender: str
    recipients: list[str]
    content: bytes
    is_encrypted: bool
    login: str | None

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return "\n".join(str(part.get_content()).splitlines())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())


# Without slots: aiosmtpd looks at every attribute of its handler, which Python 3.11.2 (Debian 12's) refuses with them.
@dataclass
class MailServer:
    """`on_mail`, `on_rcpt` and `on_data` are asked each time, with the address or content; None means all is well."""

    accepted: list[Accepted] = field(default_factory=list)
    on_mail: Callable[[str], str | None] = lambda _: None
    on_rcpt: Callable[[str], str | None] = lambda _: None
    on_data: Callable[[bytes], str | None] = lambda _: None
    # Whether a message that is answered with DROP or HANG was taken all the same.
    keeps_unanswered: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://localhost:{self.port}?timeout=2"

    def to(self, address: str) -> list[Accepted]:
        return [mail for mail in self.accepted if address in mail.recipients]

    # What aiosmtpd calls.

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await _answer(server, self.on_mail(address))

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.on_rcpt(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return await _answer(server, answer)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        answer = self.on_data(content)
        if answer is None or (answer in (DROP, HANG) and self.keeps_unanswered):
            self.accepted.append(
                Accepted(
                    envelope.mail_from or "",
                    list(envelope.rcpt_tos),
                    content,
                    server.transport is not None
                    and server.transport.get_extra_info("ssl_object") is not None,
                    session.auth_data.login.decode() if session.auth_data else None,
                )
            )
        return await _answer(server, answer)


async def _answer(server: SMTP, answer: str | None) -> str:
    if answer == HANG:
        await asyncio.sleep(60)
    if answer == DROP:
        assert server.transport is not None
        server.transport.abort()  # type: ignore[attr-defined]  # the transport of a socket, which has it
        await asyncio.sleep(60)  # the connection's end takes this task along
    return answer or "250 OK"


@contextmanager
def refusing_server(**answers: str) -> Iterator[str]:
    """The `SMTP_URL` of a server that gives these answers, by command (`banner` for its first words), else 250."""

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(f"{answers.get('banner', '220 here')}\r\n".encode())
            for line in self.rfile:
                command = line.split()[0].decode().lower() if line.split() else ""
                self.wfile.write(f"{answers.get(command, '250 OK')}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"smtp://portal:secret@127.0.0.1:{server.server_address[1]}?timeout=2"
        finally:
            server.shutdown()


@contextmanager
def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    password: str | None = None,
    utf8: bool = True,
    size_limit: int | None = None,
) -> Iterator[MailServer]:
    """A server at a port of its own. With `password`, only those who sign in as "portal" with it may send."""
    handler = MailServer(port=free_port())
    options: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
    if size_limit is not None:
        options["data_size_limit"] = size_limit
    if password is not None:

        def check(*arguments: Any) -> AuthResult:
            data = arguments[-1]
            fits = isinstance(data, LoginPassword) and data.password == password.encode()
            return AuthResult(success=fits, auth_data=data)

        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    controller = Controller(
        handler, hostname="localhost", port=handler.port, ssl_context=tls, enable_SMTPUTF8=utf8, **options
    )
    controller.start()
    try:
        yield handler
    finally:
        controller.stop(no_assert=True)
