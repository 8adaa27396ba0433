"""The kinds of fields that a search has: each holds a field's label, and says how its value is saved as JSON.

`load` takes what `save` wrote; for anything else it raises `ValueError` or `TypeError`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from services.orders.periods import Period

Stored: TypeAlias = str | list[str]
StatusKind: TypeAlias = type[MainStatus] | type[DeliveryStatus] | type[RefundStatus]


class SearchField(Protocol):
    @property
    def label(self) -> str: ...

    def save(self, value: object) -> Stored: ...

    def load(self, stored: object) -> object: ...


@dataclass(frozen=True, slots=True)
class TextField:
    """A text; `short` is the label where there is little room."""

    label: str
    short: str | None = None
    placeholder: str | None = None

    def save(self, value: object) -> Stored:
        return _text(value)

    def load(self, stored: object) -> str:
        return _text(stored)


@dataclass(frozen=True, slots=True)
class DayField:
    """A day of the viewer's time zone."""

    label: str

    def save(self, value: object) -> Stored:
        return str(value)  # ISO 8601

    def load(self, stored: object) -> date:
        return date.fromisoformat(_text(stored))


@dataclass(frozen=True, slots=True)
class PeriodField:
    """A period by its name, whose days depend on the day on which it is read."""

    label: str

    def save(self, value: object) -> Stored:
        return _text(value)

    def load(self, stored: object) -> Period:
        return Period(_text(stored))


@dataclass(frozen=True, slots=True)
class StatusField:
    """Statuses of one kind, of which an order must have one; when none is ticked, orders with any status match."""

    label: str
    statuses: StatusKind

    def save(self, value: object) -> Stored:
        return sorted(_texts(value))

    def load(self, stored: object) -> frozenset[str]:
        return frozenset(map(self.statuses, _texts(stored)))


@dataclass(frozen=True, slots=True)
class StoresField:
    """Stores by their technical names, in the order in which they were chosen."""

    label: str

    def save(self, value: object) -> Stored:
        return list(_texts(value))

    def load(self, stored: object) -> tuple[str, ...]:
        return tuple(_texts(stored))


@dataclass(frozen=True, slots=True)
class SubscriptionField:
    """The condition on an order's subscriptions."""

    label: str

    def save(self, value: object) -> Stored:
        return _text(value)

    def load(self, stored: object) -> SubscriptionFilter:
        return SubscriptionFilter(_text(stored))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("A text is needed.")
    return str(value)


def _texts(value: object) -> Collection[str]:
    if not isinstance(value, list | tuple | frozenset):
        raise TypeError("A list of texts is needed.")
    return [_text(text) for text in value]
