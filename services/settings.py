"""The settings of mail, signing in and the web, from the environment. See db/settings.py for the database."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from db import environment
from db.environment import SettingsError, has_valid_port, scheme_and_host

Network = IPv4Network | IPv6Network
_NAMES: Final = (
    *("PORT", "ESUPPORT_BASE_URL", "ESUPPORT_DEMO", "ESUPPORT_TRUSTED_PROXIES", "SMTP_URL", "MAIL_FROM"),
    *("ESUPPORT_PASSWORDS", "ESUPPORT_HOOK_HOSTS", "ESUPPORT_HOOKS_PORT"),
    *("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME"),
)


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider that people may sign in with. `name` is what the button calls it."""

    issuer: str
    client_id: str
    client_secret: str
    name: str

    @property
    def metadata_url(self) -> str:
        """The address at which the provider describes itself (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.issuer}/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server and the sender; without `smtp_url` messages stay in the mail log."""

    smtp_url: str | None
    sender: str


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """The ways to sign in: with `passwords`, through a `provider`, or both."""

    passwords: bool
    provider: Provider | None


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The address of the portal. `base_url` has no trailing slash.

    `trusted_proxies` are the addresses whose `X-Forwarded-…` headers count; by default there are none. With `demo`,
    an empty embedded database is filled with demo data. Actions may be sent to `hook_hosts`
    although they are private. With `hooks_port`, a process of its own takes in the messages of shops there.
    """

    port: int
    base_url: str
    demo: bool
    trusted_proxies: tuple[Network, ...]
    hook_hosts: frozenset[str]
    hooks_port: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    """One consistent reading of the environment."""

    mail: MailSettings
    sign_in: SignInSettings
    web: WebSettings


def settings() -> Settings:
    """The settings in force; parsed again only when one of their variables has changed. Raises `SettingsError`."""
    return _parse(environment.snapshot(_NAMES))


@lru_cache(maxsize=4)
def _parse(_: tuple[str | None, ...]) -> Settings:
    return Settings(mail=_mail(), sign_in=_sign_in(), web=_web())


def _mail() -> MailSettings:
    return MailSettings(
        smtp_url=environment.optional("SMTP_URL", _smtp_url),
        sender=_sender("MAIL_FROM", environment.read("MAIL_FROM") or "esupport@localhost"),
    )


def _sign_in() -> SignInSettings:
    provider = _provider()
    passwords = environment.read("ESUPPORT_PASSWORDS") != "0"
    if not passwords and provider is None:
        raise SettingsError("ESUPPORT_PASSWORDS=0 needs OIDC_ISSUER: nobody could sign in.")
    return SignInSettings(passwords, provider)


def _web() -> WebSettings:
    port = environment.whole_number("PORT", environment.read("PORT") or "8501", largest=65535)
    base_url = environment.read("ESUPPORT_BASE_URL") or f"http://localhost:{port}"
    return WebSettings(
        port=port,
        base_url=_web_url("ESUPPORT_BASE_URL", base_url),
        demo=environment.read("ESUPPORT_DEMO") != "0",
        trusted_proxies=_networks("ESUPPORT_TRUSTED_PROXIES", environment.read("ESUPPORT_TRUSTED_PROXIES")),
        hook_hosts=_hosts(environment.read("ESUPPORT_HOOK_HOSTS")),
        hooks_port=_hooks_port(port),
    )


def _hooks_port(port: int) -> int | None:
    value = environment.read("ESUPPORT_HOOKS_PORT")
    if value is None:
        return None
    hooks_port = environment.whole_number("ESUPPORT_HOOKS_PORT", value, largest=65535)
    if hooks_port == port:
        raise SettingsError("ESUPPORT_HOOKS_PORT must be another port than PORT.")
    return hooks_port


def _provider() -> Provider | None:
    issuer = environment.optional("OIDC_ISSUER", _web_url)
    if issuer is None:
        return None
    client_id, client_secret = environment.read("OIDC_CLIENT_ID"), environment.read("OIDC_CLIENT_SECRET")
    if client_id is None or client_secret is None:
        raise SettingsError("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
    return Provider(issuer, client_id, client_secret, environment.read("OIDC_NAME") or "single sign-on")


def _web_url(name: str, value: str) -> str:
    if not has_valid_port(value) or scheme_and_host(value)[0] not in ("http", "https"):
        raise SettingsError(f"{name} must be an address such as https://support.example.com.")
    if not scheme_and_host(value)[1] or "?" in value or "#" in value:
        raise SettingsError(f"{name} must name a host, and have neither '?' nor '#'.")
    return value.rstrip("/")


def _smtp_url(name: str, value: str) -> str:
    scheme, host = scheme_and_host(value) if has_valid_port(value) else ("", None)
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


def _hosts(value: str | None) -> frozenset[str]:
    """Names or addresses, in lower case, without ports."""
    return frozenset(part.lower().rstrip(".").strip("[]") for part in (value or "").replace(",", " ").split())
