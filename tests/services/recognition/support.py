"""The circumstances of the sayings: two stores, Wednesday 25 November 2026, a German who writes the day first."""

from datetime import date
from typing import Any, Final

from services.access import Store
from services.orders.filters import SEARCH_FIELDS, SearchInput
from services.recognition.context import Context

TODAY: Final = date(2026, 11, 25)
CONTEXT: Final = Context(
    today=TODAY,
    stores=(Store(1, "demo-eu", "Demo Europe"), Store(2, "demo-us", None)),
    day_first=True,
    regions=("DE", "US", "GB", "RU"),
)


def as_json(typed: SearchInput) -> dict[str, Any]:
    """The filled fields in the form in which a search is saved."""
    return {name: SEARCH_FIELDS[name].save(value) for name, value in typed.filled().items()}
