"""What somebody searches for: as typed, and as checked.

The rules are those of the search form: every filled field must match, spaces at the ends do not count, and an error is
a sentence that stands next to its field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from db.statements.search import AskedOrder, SearchValues, asked_values
from services.errors import InvalidInput
from services.orders.search_fields import (
    parse_card,
    parse_code,
    parse_ids,
    parse_phone,
)
from services.text.fields import FieldError, parse_text
from services.time_zones import days_to_interval


class InvalidSearch(InvalidInput):
    """At least one field is not usable; `errors` has a sentence for each of them, by the field's name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Please check the marked fields.")
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class SearchInput:
    """The form as it was filled in. Dates are days of the viewer; `stores` are technical names."""

    created_from: date | None = None
    created_to: date | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    statuses: frozenset[MainStatus] = frozenset()
    delivery: frozenset[DeliveryStatus] = frozenset()
    refunds: frozenset[RefundStatus] = frozenset()
    order_ids: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    company: str = ""
    vat_number: str = ""
    card_last_4: str = ""
    activation_code: str = ""
    stores: tuple[str, ...] = ()
    subscription: SubscriptionFilter = SubscriptionFilter.ANY


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """A search that was checked. `typed` holds the fields trimmed; the rest is derived from it and the zone.

    The intervals are half open and in UTC. `asked_orders` is None when none were asked for.
    """

    typed: SearchInput
    zone: str
    created: tuple[datetime | None, datetime | None] = (None, None)
    paid: tuple[datetime | None, datetime | None] = (None, None)
    asked_orders: tuple[AskedOrder, ...] | None = None
    phone: str | None = None
    texts: tuple[tuple[str, str], ...] = field(default=())
    card_last_4: str | None = None
    code_fragment: str | None = None

    @classmethod
    def empty(cls, zone: ZoneInfo) -> Self:
        return cls(SearchInput(), zone.key)

    @property
    def is_empty(self) -> bool:
        return self.typed == SearchInput()

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads; only filled fields are in it."""
        kept: dict[str, Any] = {}
        for name, value in _filled(self.typed):
            if isinstance(value, date):
                kept[name] = value.isoformat()
            elif isinstance(value, frozenset):
                kept[name] = sorted(value)
            else:
                kept[name] = list(value) if isinstance(value, tuple) else str(value)
        return {"zone": self.zone, "fields": kept}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OrderFilter":
        """The same search again, days meant in the zone it was made in. Raises `InvalidInput` for anything else."""
        try:
            values: dict[str, Any] = {}
            for name, value in stored["fields"].items():
                if name in _DATES:
                    value = date.fromisoformat(value)
                elif name in _GROUPS:
                    value = frozenset(_GROUPS[name](part) for part in value)
                elif name == "stores":
                    value = tuple(map(str, value))
                elif name == "subscription":
                    value = SubscriptionFilter(value)
                values[name] = value
            return parse_filter(SearchInput(**values), zone=ZoneInfo(stored["zone"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("This search cannot be read any more.") from error


_DATES = ("created_from", "created_to", "paid_from", "paid_to")
_GROUPS = {"statuses": MainStatus, "delivery": DeliveryStatus, "refunds": RefundStatus}
_TEXTS = ("first_name", "last_name", "email", "company", "vat_number")


def _filled(typed: SearchInput) -> list[tuple[str, Any]]:
    empty = SearchInput()
    return [
        (f.name, getattr(typed, f.name))
        for f in fields(typed)
        if getattr(typed, f.name) != getattr(empty, f.name)
    ]


def parse_filter(
    typed: SearchInput, *, zone: ZoneInfo, errors: Mapping[str, str] | None = None
) -> OrderFilter:
    """The search that was typed, checked; raises `InvalidSearch` with a sentence for every field that is not usable.

    `errors` are of fields that could not even be put into `typed`: a day that is none.
    """
    errors = dict(errors or {})
    parsed: dict[str, Any] = {}
    trimmed: dict[str, str] = {}

    def check(name: str, parse: Any) -> None:
        try:
            trimmed[name], parsed[name] = parse(getattr(typed, name))
        except FieldError as error:
            errors[name] = str(error)

    check("order_ids", parse_ids)
    check("phone", parse_phone)
    check("card_last_4", parse_card)
    check("activation_code", parse_code)
    for name in _TEXTS:
        check(name, parse_text)
    for prefix in ("created", "paid"):
        start, end = getattr(typed, f"{prefix}_from"), getattr(typed, f"{prefix}_to")
        if start and end and end < start:
            errors[f"{prefix}_to"] = "The end date is before the start date."
    if errors:
        raise InvalidSearch(errors)
    kept = {f.name: trimmed.get(f.name, getattr(typed, f.name)) for f in fields(typed)}
    return OrderFilter(
        typed=SearchInput(**kept),
        zone=zone.key,
        created=days_to_interval(typed.created_from, typed.created_to, zone),
        paid=days_to_interval(typed.paid_from, typed.paid_to, zone),
        asked_orders=parsed["order_ids"],
        phone=parsed["phone"],
        texts=tuple((name, parsed[name]) for name in _TEXTS if parsed[name]),
        card_last_4=parsed["card_last_4"],
        code_fragment=parsed["activation_code"],
    )


def searched_values(order_filter: OrderFilter) -> SearchValues:
    """The values that a filter compares with, by the names of their conditions; only those that are filled."""
    typed = order_filter.typed
    values: dict[str, object] = {
        "created_since": order_filter.created[0],
        "created_until": order_filter.created[1],
        "paid_since": order_filter.paid[0],
        "paid_until": order_filter.paid[1],
        "statuses": sorted(typed.statuses) or None,
        "delivered": DeliveryStatus.DELIVERED in typed.delivery if len(typed.delivery) == 1 else None,
        "refunds": sorted(typed.refunds) or None,
        **asked_values(order_filter.asked_orders),
        "phone": order_filter.phone,
        **dict(order_filter.texts),
        "card_last_4": order_filter.card_last_4,
        "code_fragment": order_filter.code_fragment,
    }
    if typed.subscription is not SubscriptionFilter.ANY:
        values[typed.subscription] = True
    return {name: value for name, value in values.items() if value is not None}
