"""The mail server and the sender that `SMTP_URL` and `MAIL_FROM` name."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from db.environment import SettingsError
from services.mail.addresses import sender_of
from services.settings import settings
from services.text.domains import a_label_domain

DEFAULT_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """`host` is ASCII: Python's own network functions would convert any other host by IDNA 2003."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_tls: bool
    starttls: bool
    timeout: float

    @property
    def address(self) -> str:
        """Host and port, without the password: for sentences, and as the key of the server's recorded state."""
        return f"{self.host}:{self.port}"


def server_of(url: str) -> Server:
    """The server of an `SMTP_URL`. Ports by default: 465 for smtps, 587 with starttls, else 25.

    Raises `ValueError` with a sentence when its host is no host name.
    """
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    is_tls = parts.scheme == "smtps"
    starttls = not is_tls and options.get("starttls", ["0"])[-1] not in ("", "0", "false", "no")
    try:
        timeout = float(options.get("timeout", [DEFAULT_TIMEOUT])[-1])
    except ValueError:
        timeout = DEFAULT_TIMEOUT
    return Server(
        host=_host(parts.hostname or "localhost"),
        port=parts.port or (465 if is_tls else 587 if starttls else 25),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_tls=is_tls,
        starttls=starttls,
        timeout=timeout if 0 < timeout < 3600 else DEFAULT_TIMEOUT,
    )


def check_mail_settings() -> None:
    """Raise `SettingsError` when `SMTP_URL` or `MAIL_FROM` cannot be understood; no program starts then."""
    current = settings()
    try:
        sender_of(current.mail.sender)
        if current.mail.smtp_url is not None:
            server_of(current.mail.smtp_url)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _host(name: str) -> str:
    if ":" in name:  # an IPv6 address
        return name
    try:
        return a_label_domain(unquote(name).rstrip("."))
    except ValueError as error:
        raise ValueError("SMTP_URL must name a host, such as mail.example.com.") from error
