"""What the environment says, read in one place.

Every other module asks `settings()` and never looks at `os.environ` itself, so that the table of variables in
the README and the code that obeys it cannot drift apart.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
_POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
Network = IPv4Network | IPv6Network


class SettingsError(Exception):
    """A variable holds something unusable; the text is a sentence that names the variable.

    The value itself is left out: several of these variables hold passwords, and the sentence ends in logs.
    """


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider that people may sign in with. `name` is what the button calls it."""

    issuer: str
    client_id: str
    client_secret: str
    name: str

    @property
    def metadata_url(self) -> str:
        """Where it describes itself (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.issuer}/.well-known/openid-configuration"


@dataclass(frozen=True)
class Settings:
    """One consistent reading of the environment.

    `database_url`, `app_database_url`, `web_jobs_database_url` and `database_read_url` are in SQLAlchemy's form (`postgresql+psycopg://`);
    `None` for the first means the embedded server in `data_dir`, which is absolute (a relative one counts from the
    project's root), and for the last that everything is read on the primary. `base_url` carries no trailing slash.
    A session that nobody uses for `idle_minutes` ends.
    `trusted_proxies` are the addresses whose `X-Forwarded-…` headers count; nobody's do by default.
    """

    database_url: str | None
    app_database_url: str | None
    web_jobs_database_url: str | None
    database_read_url: str | None
    data_dir: Path
    port: int
    base_url: str
    smtp_url: str | None
    mail_from: str
    demo: bool
    passwords: bool
    provider: "Provider | None"
    idle_minutes: int
    trusted_proxies: tuple[Network, ...]


def settings() -> Settings:
    """The environment as it is now; an empty variable counts as unset. Raises `SettingsError`."""
    port = _port(_read("PORT") or "8501")
    provider = _provider()
    passwords = _read("ESUPPORT_PASSWORDS") != "0"
    if not passwords and provider is None:
        raise SettingsError("ESUPPORT_PASSWORDS=0 needs OIDC_ISSUER: nobody could sign in.")
    return Settings(
        database_url=_optional("DATABASE_URL", _postgres_url),
        app_database_url=_optional("ESUPPORT_APP_DATABASE_URL", _postgres_url),
        web_jobs_database_url=_optional("ESUPPORT_WEB_JOBS_DATABASE_URL", _postgres_url),
        database_read_url=_optional("DATABASE_READ_URL", _postgres_url),
        data_dir=_folder("ESUPPORT_DATA", _read("ESUPPORT_DATA")),
        port=port,
        base_url=_web_url("ESUPPORT_BASE_URL", _read("ESUPPORT_BASE_URL") or f"http://localhost:{port}"),
        smtp_url=_optional("SMTP_URL", _smtp_url),
        mail_from=_sender("MAIL_FROM", _read("MAIL_FROM") or "esupport@localhost"),
        demo=_read("ESUPPORT_DEMO") != "0",
        passwords=passwords,
        provider=provider,
        idle_minutes=_minutes("ESUPPORT_IDLE_MINUTES", _read("ESUPPORT_IDLE_MINUTES") or "30"),
        trusted_proxies=_networks("ESUPPORT_TRUSTED_PROXIES", _read("ESUPPORT_TRUSTED_PROXIES")),
    )


def _read(name: str) -> str | None:
    # Compose files and service units often hand over variables that are set to nothing.
    return os.environ.get(name, "").strip() or None


def _optional(name: str, parse: Callable[[str, str], str]) -> str | None:
    value = _read(name)
    return None if value is None else parse(name, value)


def _provider() -> Provider | None:
    issuer = _optional("OIDC_ISSUER", _web_url)
    if issuer is None:
        return None
    client_id, client_secret = _read("OIDC_CLIENT_ID"), _read("OIDC_CLIENT_SECRET")
    if client_id is None or client_secret is None:
        raise SettingsError("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
    return Provider(issuer, client_id, client_secret, _read("OIDC_NAME") or "single sign-on")


def _port(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535):
        raise SettingsError("PORT must be a whole number from 1 to 65535.")
    return int(value)


def _minutes(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 720):
        raise SettingsError(f"{name} must be a whole number of minutes from 1 to 720.")
    return int(value)


def _folder(name: str, value: str | None) -> Path:
    if value is None:
        return PROJECT / ".data"
    try:
        folder = PROJECT / Path(value).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{name} names the home folder of a user that does not exist.") from error
    # The server keeps its folder's path on a line of its own in its lock file.
    if any(not character.isprintable() for character in value):
        raise SettingsError(f"{name} must not contain line breaks or other control characters.")
    return folder


def _postgres_url(name: str, value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme not in _POSTGRES_SCHEMES or not separator or not _has_valid_port(value):
        raise SettingsError(
            f"{name} must be an address such as postgresql://user:password@host:5432/database."
        )
    return f"postgresql+psycopg://{rest}"


def _web_url(name: str, value: str) -> str:
    if not _has_valid_port(value) or _scheme_and_host(value)[0] not in ("http", "https"):
        raise SettingsError(f"{name} must be an address such as https://support.example.com.")
    if not _scheme_and_host(value)[1] or "?" in value or "#" in value:
        raise SettingsError(f"{name} must name a host, and have neither '?' nor '#'.")
    return value.rstrip("/")


def _smtp_url(name: str, value: str) -> str:
    scheme, host = _scheme_and_host(value) if _has_valid_port(value) else ("", None)
    if scheme not in ("smtp", "smtps") or not host:
        raise SettingsError(
            f"{name} must be an address such as smtp://user:password@mail.example.com:587?starttls=1."
        )
    return value


def _sender(name: str, value: str) -> str:
    if "@" not in value or any(not character.isprintable() for character in value):
        raise SettingsError(f"{name} must be an e-mail address such as esupport@example.com.")
    return value


def _networks(name: str, value: str | None) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part) for part in (value or "").replace(",", " ").split())
    except ValueError as error:
        raise SettingsError(
            f"{name} must list addresses or networks, such as 127.0.0.1, ::1 or 10.0.0.0/8, separated by commas."
        ) from error


def _has_valid_port(value: str) -> bool:
    try:
        port = urlsplit(value).port
    except ValueError:  # a port that is no number, or an unbalanced bracket
        return False
    return port is None or port > 0


def _scheme_and_host(value: str) -> tuple[str, str | None]:
    parts = urlsplit(value)
    return parts.scheme, parts.hostname
