"""A search for orders: as typed, and as checked.

The rules are those of the search form: every filled field must match, spaces at the ends do not count, and an error is
a sentence that is shown next to its field.

A field of the search is declared once, in `SearchInput`; its place in the form is in pages/components/orders, the
column it is compared with is in db/statements/conditions.py. tests/services/orders/test_field_declarations.py fails for
a field that one of them lacks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal, Self, TypedDict, TypeVar
from zoneinfo import ZoneInfo

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from db.statements.conditions import SearchValues
from services.errors import InvalidInput
from services.orders.field_kinds import (
    DayField,
    PeriodField,
    SearchField,
    StatusField,
    Stored,
    StoresField,
    SubscriptionField,
    TextField,
)
from services.orders.periods import Period, period_days
from services.orders.search_fields import (
    parse_card,
    parse_code,
    parse_country,
    parse_currency,
    parse_ids,
    parse_phone,
    parse_total,
)
from services.text.fields import FieldError, parse_text
from services.time_zones import days_to_interval

T = TypeVar("T")
KIND: Final = "kind"


class SavedSearch(TypedDict):
    """A search as JSON, days meant in the zone."""

    zone: str
    fields: dict[str, Stored]


class InvalidSearch(InvalidInput):
    """At least one field is not usable; `errors` has a sentence for each of them, by the field's name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Please check the marked fields.")
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class SearchInput:
    """The form as it was filled in. Dates are days of the viewer; `stores` are technical names.

    A period stands for its days: alone, it fills them in; beside other days it is void (`parse_filter`). The metadata
    of a field state its kind (`KIND`).
    """

    created_from: date | None = field(default=None, metadata={KIND: DayField("Order creation date from")})
    created_to: date | None = field(default=None, metadata={KIND: DayField("Order creation date to")})
    paid_from: date | None = field(default=None, metadata={KIND: DayField("Order payment date from")})
    paid_to: date | None = field(default=None, metadata={KIND: DayField("Order payment date to")})
    statuses: frozenset[MainStatus] = field(
        default=frozenset(), metadata={KIND: StatusField("Order status", MainStatus)}
    )
    delivery: frozenset[DeliveryStatus] = field(
        default=frozenset(), metadata={KIND: StatusField("Order status", DeliveryStatus)}
    )
    refunds: frozenset[RefundStatus] = field(
        default=frozenset(), metadata={KIND: StatusField("Order status", RefundStatus)}
    )
    order_ids: str = field(default="", metadata={KIND: TextField("Order IDs", placeholder="A0012345678")})
    phone: str = field(default="", metadata={KIND: TextField("Phone Number")})
    first_name: str = field(default="", metadata={KIND: TextField("First Name")})
    last_name: str = field(default="", metadata={KIND: TextField("Last Name")})
    email: str = field(default="", metadata={KIND: TextField("Email")})
    company: str = field(default="", metadata={KIND: TextField("Company")})
    vat_number: str = field(default="", metadata={KIND: TextField("VAT Number", short="VAT")})
    card_last_4: str = field(
        default="", metadata={KIND: TextField("Last 4 digits of Card Number", short="Card")}
    )
    activation_code: str = field(
        default="", metadata={KIND: TextField("Activation code", placeholder="3 characters or more")}
    )
    stores: tuple[str, ...] = field(default=(), metadata={KIND: StoresField("Store")})
    subscription: SubscriptionFilter = field(
        default=SubscriptionFilter.ANY, metadata={KIND: SubscriptionField("Subscription")}
    )
    created_period: Period | None = field(default=None, metadata={KIND: PeriodField("Creation period")})
    paid_period: Period | None = field(default=None, metadata={KIND: PeriodField("Payment period")})
    payment_method: str = field(default="", metadata={KIND: TextField("Payment method")})
    product: str = field(default="", metadata={KIND: TextField("Product or SKU", short="Product")})
    total_from: str = field(default="", metadata={KIND: TextField("Total from")})
    total_to: str = field(default="", metadata={KIND: TextField("Total to")})
    currency: str = field(default="", metadata={KIND: TextField("Currency")})
    country: str = field(default="", metadata={KIND: TextField("Country")})
    refund_reason: str = field(default="", metadata={KIND: TextField("Reason for refund")})

    def filled(self) -> dict[str, object]:
        """The fields that are filled in, by their names."""
        return {name: value for name, empty in _EMPTY.items() if (value := getattr(self, name)) != empty}


SEARCH_FIELDS: Final[Mapping[str, SearchField]] = {f.name: f.metadata[KIND] for f in fields(SearchInput)}
TEXT_FIELDS: Final = {name: kind for name, kind in SEARCH_FIELDS.items() if isinstance(kind, TextField)}
PERIODS: Final = {"created_period": ("created_from", "created_to"), "paid_period": ("paid_from", "paid_to")}
_EMPTY: Final[Mapping[str, object]] = {f.name: f.default for f in fields(SearchInput)}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """A checked search: `typed` has the trimmed fields, `values` what orders are compared with.

    Days are days of `zone`. Which stores are searched depends on the viewer: `services.orders.search.stores_in_scope`.
    """

    typed: SearchInput
    zone: str
    values: SearchValues

    @classmethod
    def empty(cls, zone: ZoneInfo) -> Self:
        return cls(SearchInput(), zone.key, SearchValues())

    @property
    def is_empty(self) -> bool:
        return self.typed == SearchInput()

    def to_json(self, *, relative: bool = False) -> SavedSearch:
        """The search in the form that `from_json` reads, with the filled fields only.

        A link shows the same days for ever. `relative` leaves out the days of a period that has a name, so that
        `from_json` counts them from the day on which it reads.
        """
        filled = self.typed.filled()
        if relative:
            left_out = {day for period, days in PERIODS.items() if period in filled for day in days}
            filled = {name: value for name, value in filled.items() if name not in left_out}
        saved = {name: SEARCH_FIELDS[name].save(value) for name, value in filled.items()}
        return {"zone": self.zone, "fields": saved}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OrderFilter":
        """The same search again, days meant in the zone it was made in. Raises `InvalidInput` for anything else."""
        try:
            # Any, here and in `stored`: JSON as it was saved, by an earlier version perhaps, and checked only here.
            values: dict[str, Any] = {
                name: SEARCH_FIELDS[name].load(value) for name, value in stored["fields"].items()
            }
            return parse_filter(SearchInput(**values), zone=ZoneInfo(stored["zone"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("This search cannot be read any more.") from error


def parse_filter(
    typed: SearchInput,
    *,
    zone: ZoneInfo,
    errors: Mapping[str, str] | None = None,
    today: date | None = None,
) -> OrderFilter:
    """The search that was typed, checked; raises `InvalidSearch` with a sentence for every field that is not usable.

    `errors` are of fields that could not even be put into `typed`, such as a day that does not exist. Periods are
    counted from `today`, by default the present day of the zone.
    """
    typed = _with_days_of_periods(typed, today or datetime.now(zone).date())
    form = _Form(typed, dict(errors or {}))
    form.check_order("created_from", "created_to")
    form.check_order("paid_from", "paid_to")
    values = _values(form, zone)
    if form.errors:
        raise InvalidSearch(form.errors)
    return OrderFilter(form.trimmed(), zone.key, values)


def _with_days_of_periods(typed: SearchInput, today: date) -> SearchInput:
    """The search with the days of its periods; without a period whose days are others than those that are given."""
    changes: dict[str, Any] = {}  # days and periods
    for name, (first, last) in PERIODS.items():
        if (period := getattr(typed, name)) is None:
            continue
        days = period_days(period, today)
        start, end = getattr(typed, first), getattr(typed, last)
        if start is None and end is None:
            changes |= {first: days[0], last: days[1]}
        elif (start, end or start) != days:
            changes[name] = None
    return replace(typed, **changes)


class _Form:
    """A form that is being checked, with the errors found so far."""

    def __init__(self, typed: SearchInput, errors: dict[str, str]) -> None:
        self.typed, self.errors = typed, errors
        self._texts: dict[str, str] = {}

    def read(self, name: str, parse: Callable[[str], tuple[str, T | None]]) -> T | None:
        """The value of a text field; None when it is empty or has an error."""
        try:
            self._texts[name], value = parse(getattr(self.typed, name))
        except FieldError as error:
            self.errors[name] = str(error)
            return None
        return value

    def check_order(self, first: str, last: str) -> None:
        start, end = getattr(self.typed, first), getattr(self.typed, last)
        if start and end and end < start:
            self.errors[last] = "The end date is before the start date."

    def totals(self) -> tuple[str | None, Decimal | None, Decimal | None]:
        """Currency, lowest and highest total."""
        currency = self.read("currency", parse_currency)
        parse = partial(parse_total, currency=currency)
        lowest, highest = self.read("total_from", parse), self.read("total_to", parse)
        if currency is None and (lowest is not None or highest is not None):
            self.errors.setdefault("currency", "A total needs its currency. Please choose one.")
        if lowest is not None and highest is not None and highest < lowest:
            self.errors["total_to"] = "Total to is below total from."
        return currency, lowest, highest

    def trimmed(self) -> SearchInput:
        # Any: each field has a type of its own.
        values: dict[str, Any] = {name: getattr(self.typed, name) for name in _EMPTY}
        return SearchInput(**values | self._texts)


def _values(form: _Form, zone: ZoneInfo) -> SearchValues:
    typed = form.typed
    created_since, created_until = days_to_interval(typed.created_from, typed.created_to, zone)
    paid_since, paid_until = days_to_interval(typed.paid_from, typed.paid_to, zone)
    currency, lowest, highest = form.totals()
    is_one_total = lowest is not None and lowest == highest
    delivery = typed.delivery if len(typed.delivery) == 1 else frozenset()  # all of them exclude nothing
    return SearchValues(
        created_since=created_since,
        created_until=created_until,
        paid_since=paid_since,
        paid_until=paid_until,
        statuses=tuple(sorted(typed.statuses)) or None,
        delivered=DeliveryStatus.DELIVERED in delivery if delivery else None,
        refunds=tuple(sorted(typed.refunds)) or None,
        asked_orders=form.read("order_ids", parse_ids),
        phone=form.read("phone", parse_phone),
        first_name=form.read("first_name", parse_text),
        last_name=form.read("last_name", parse_text),
        email=form.read("email", parse_text),
        company=form.read("company", parse_text),
        vat_number=form.read("vat_number", parse_text),
        card_last_4=form.read("card_last_4", parse_card),
        code_fragment=form.read("activation_code", parse_code),
        has_subscription=_asks_for(typed, SubscriptionFilter.WITH),
        has_active_subscription=_asks_for(typed, SubscriptionFilter.ACTIVATED),
        has_cancelled_subscription=_asks_for(typed, SubscriptionFilter.DEACTIVATED),
        payment_method=form.read("payment_method", parse_text),
        countries=form.read("country", parse_country),
        currency=currency,
        total=lowest if is_one_total else None,
        total_from=None if is_one_total else lowest,
        total_to=None if is_one_total else highest,
        product=form.read("product", parse_text),
        refund_reason=form.read("refund_reason", parse_text),
    )


def _asks_for(typed: SearchInput, subscription: SubscriptionFilter) -> Literal[True] | None:
    return True if typed.subscription is subscription else None
