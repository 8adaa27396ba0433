"""The form of a connection, checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypedDict

from db.schema.connection_states import ConnectionKind, Purpose, Topic
from services.connections.addresses import LONGEST, NotAllowedAddress, check_address
from services.connections.kinds import RULES, is_payment_provider
from services.errors import InvalidInput
from services.money_limits import read_cap

NOVENTIQ_API: Final = "https://api.ecommerce.noventiq.com"
LONGEST_SECRET: Final = 1000
_LONGEST_TEXT: Final = 200
_LONGEST_REFUND_EMAIL: Final = 80  # the vendor's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionForm:
    """A connection as it was typed. `options` are those of its kind: texts, and flags.

    Noventiq and Stripe: `dry_run`, `day_cap`, `request_cap` (services/executors/limits.py). Noventiq also: `username`,
    `api_url`, `refund_email`.
    """

    name: str
    out_url: str = ""
    topics: Collection[Topic] = ()
    confirms: bool = False
    options: Mapping[str, str | bool] = field(default_factory=dict)


class Values(TypedDict):
    """The columns of the table that a form sets; `options` is JSON."""

    name: str
    out_url: str | None
    topics: list[str]
    confirms: bool
    options: Mapping[str, str | bool | None]


def checked_values(kind: ConnectionKind, form: ConnectionForm) -> Values:
    """The columns that the form sets; raises `InvalidInput` for the field that cannot be used."""
    rule = RULES[kind]
    topics = [topic for topic in Topic if topic in form.topics and topic in rule.topics]
    out_url = _address(form.out_url, "out_url") if rule.has_out_url else ""
    if is_payment_provider(kind):
        topics = [Topic.REFUNDS]
    if rule.has_out_url and topics and not out_url:
        raise InvalidInput("Give the address that actions are sent to, or choose no topic.", field="out_url")
    if rule.has_out_url and form.confirms and not topics:
        raise InvalidInput("A shop that confirms must be sent refunds or subscriptions.", field="topics")
    return {
        "name": _name(form.name),
        "out_url": out_url or None,
        "topics": [topic.value for topic in topics],
        "confirms": form.confirms if rule.has_out_url else bool(topics),
        "options": _checked_options(kind, form.options),
    }


def checked_secret(kind: ConnectionKind, purpose: Purpose, secret: str, *, field: str) -> str:
    """A secret that the other side gave, without the spaces around it; raises `InvalidInput`."""
    secret = secret.strip()
    if not secret:
        raise InvalidInput("Paste the secret here.", field=field)
    if len(secret) > LONGEST_SECRET or not secret.isprintable():
        raise InvalidInput(
            f"A secret has 1 to {LONGEST_SECRET:,} characters, all of them printable.", field=field
        )
    if kind is ConnectionKind.STRIPE:
        _check_stripe_key(purpose, secret, field)
    return secret


def _check_stripe_key(purpose: Purpose, secret: str, field: str) -> None:
    beginnings = {Purpose.IN: ("whsec_",), Purpose.API: ("sk_", "rk_")}[purpose]
    if not secret.startswith(beginnings):
        raise InvalidInput(f"This secret of Stripe's begins with {' or '.join(beginnings)}.", field=field)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A connection's name has 1 to 100 characters.", field="name")
    return name


def _address(url: str, field: str) -> str:
    url = url.strip()
    if not url:
        return ""
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        raise InvalidInput(f"An address has at most {LONGEST:,} characters and no spaces.", field=field)
    try:
        check_address(url)
    except NotAllowedAddress as error:
        raise InvalidInput(str(error), field=field) from error
    return url


def _text(options: Mapping[str, str | bool], name: str, label: str, longest: int = _LONGEST_TEXT) -> str:
    value = str(options.get(name) or "").strip()
    if len(value) > longest or not value.isprintable():
        raise InvalidInput(f"{label} has at most {longest} characters.", field=name)
    return value


def _noventiq(options: Mapping[str, str | bool]) -> dict[str, str | bool | None]:
    email = _text(options, "refund_email", "This e-mail", _LONGEST_REFUND_EMAIL)
    if email and "@" not in email:
        raise InvalidInput("This is not an e-mail address.", field="refund_email")
    return _limits(options) | {
        "username": _text(options, "username", "The user name") or None,
        "api_url": _address(str(options.get("api_url") or ""), "api_url") or NOVENTIQ_API,
        "refund_email": email or None,
    }


def _limits(options: Mapping[str, str | bool]) -> dict[str, str | bool | None]:
    return {
        "dry_run": bool(options.get("dry_run", True)),
        "day_cap": _cap(options, "day_cap"),
        "request_cap": _cap(options, "request_cap"),
    }


def _cap(options: Mapping[str, str | bool], name: str) -> str | None:
    text = _text(options, name, "The cap")
    read_cap(text, field=name)
    return text or None


def _checked_options(
    kind: ConnectionKind, options: Mapping[str, str | bool]
) -> Mapping[str, str | bool | None]:
    if kind is ConnectionKind.NOVENTIQ:
        return _noventiq(options)
    return _limits(options) if is_payment_provider(kind) else {}
