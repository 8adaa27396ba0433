"""The interface of an executor, which carries actions out at a payment provider or through a shop's own API.

An executor is a connection of its own kind. Events reach it through the same deliveries as a webhook: in the order of
each order's events, at least once, under one ID, and tried again when nothing came of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from services.events.event_types import EventType

# A body, and the options of a connection: whatever JSON holds.
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event on its way to one connection. `data` is the body's `data`; `options` are the connection's.

    `secrets` are the valid ones of the purpose "api", newest first.
    """

    event_id: UUID
    action_id: UUID
    event: EventType
    connection_id: int
    store_id: int
    order_id: int
    created_at: datetime
    data: Json
    options: Json
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The event means nothing to this executor; the delivery ends as delivered."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the action on; its answer comes later, by a message of its own."""

    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider has done it. `amount` is in the order's currency, None when it does not say."""

    external_id: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not do it; `message` is a sentence for the operator."""

    message: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Nothing came of it: a time-out, a broken connection, an error of the server. `retry_after` is in seconds."""

    reason: str
    status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was sent, on purpose: a dry run, or a refund above what the connection may pay back at once.

    The action ends as *not delivered* with `message`, a sentence, in the order's history, and can be pressed again.
    Nobody is mailed.
    """

    message: str


Result = NothingToDo | Accepted | Succeeded | Refused | TryLater | NotSent


@dataclass(frozen=True, slots=True)
class Payment:
    """An order's payment as known when a refund is about to be asked for.

    `amount` is the sum that is asked for, once it is chosen; `has_parts` says whether it is for parts of lines.
    """

    order_id: int
    store_id: int
    provider: str | None
    reference: str | None
    currency: str
    total: Decimal
    amount: Decimal | None = None
    has_parts: bool = False


class Executor(Protocol):
    """One kind of provider. An instance serves one connection and is used by one thread at a time."""

    @property
    def title(self) -> str:
        """The provider's name for people, such as "Stripe"."""
        ...

    def can_refund(self, payment: Payment, options: Json) -> str | None:
        """None when a refund can be asked for, else the reason in a sentence, shown before the button. No network.

        What the portal knows itself (is anything left to give back, is the day's cap reached) is not asked here.
        """
        ...

    def send(self, outgoing: OutgoingEvent) -> Result:
        """Carry the event out. Called again under the same IDs after a kill: the provider must see one action."""
        ...
