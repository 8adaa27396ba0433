"""The settings of each kind of connection: its address, its secrets, and what can be sent out by it."""

import secrets as random_secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from db.schema.connection_states import ConnectionKind, Purpose, Topic
from services.connections.secrets import new_help_desk_secret, new_secret
from services.settings import settings

# What an action can be held at "sent" for.
CONFIRMED_TOPICS: Final = frozenset({Topic.REFUNDS, Topic.SUBSCRIPTIONS, Topic.LICENCES})


@dataclass(frozen=True, slots=True)
class KindRule:
    """The rules of a kind: `made` are the secrets that are made here, `typed` those that the other side gives.

    Only a kind that `has_out_url` has a web address of its own that actions are sent to. `topics` can be sent out.
    """

    label: str
    path: str
    made: frozenset[Purpose]
    typed: frozenset[Purpose]
    topics: frozenset[Topic]
    has_out_url: bool = False


def _of_provider(kind: ConnectionKind) -> KindRule:
    """The rule of a payment provider that needs no other: its key is typed, and it is sent refunds."""
    return KindRule(
        kind.value.capitalize(),
        "/hooks/v1/",
        made=frozenset(),
        typed=frozenset({Purpose.API}),
        topics=frozenset({Topic.REFUNDS}),
    )


RULES: Final[Mapping[ConnectionKind, KindRule]] = {kind: _of_provider(kind) for kind in ConnectionKind} | {
    ConnectionKind.WEBHOOKS: KindRule(
        "Standard webhooks",
        "/hooks/v1/",
        made=frozenset({Purpose.IN, Purpose.OUT}),
        typed=frozenset(),
        topics=frozenset(Topic),
        has_out_url=True,
    ),
    ConnectionKind.NOVENTIQ: KindRule(
        "Noventiq",
        "/hooks/v1/",
        made=frozenset(),
        typed=frozenset({Purpose.IN, Purpose.API}),
        topics=frozenset({Topic.REFUNDS, Topic.SUBSCRIPTIONS}),
    ),
    ConnectionKind.STRIPE: KindRule(
        "Stripe",
        "/hooks/v1/",
        made=frozenset(),
        typed=frozenset({Purpose.IN, Purpose.API}),
        topics=frozenset({Topic.REFUNDS}),
    ),
    ConnectionKind.HELP_DESK: KindRule(
        "Help desk",
        "/helpdesk/v1/",
        made=frozenset({Purpose.IN}),
        typed=frozenset(),
        topics=frozenset(),
    ),
}


def is_payment_provider(kind: ConnectionKind) -> bool:
    """Whether refunds of orders that were paid through it are paid back by it, as for Stripe."""
    return kind not in (ConnectionKind.WEBHOOKS, ConnectionKind.NOVENTIQ, ConnectionKind.HELP_DESK)


def incoming_address(kind: ConnectionKind, key: str) -> str:
    """The address that the other side posts to."""
    return f"{settings().web.base_url}{RULES[kind].path}{key}"


def new_key() -> str:
    """The random part of an address: 128 bits, as the table checks it."""
    return f"c_{random_secrets.token_urlsafe(16)}"


def make_secret(kind: ConnectionKind) -> str:
    """A new secret in the form that the other side takes."""
    return new_help_desk_secret() if kind is ConnectionKind.HELP_DESK else new_secret()


def make_secrets(kind: ConnectionKind, *, sends_out: bool) -> dict[Purpose, str]:
    """The secrets that a new connection of this kind begins with."""
    purposes: Collection[Purpose] = RULES[kind].made - (frozenset() if sends_out else {Purpose.OUT})
    return {purpose: make_secret(kind) for purpose in Purpose if purpose in purposes}
