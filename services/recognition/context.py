"""The circumstances in which a text was typed: the viewer's stores, their today, and their way of writing days."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from services.access import Store

# Whose numbers are tried when neither the browser nor the time zone names a country.
_COMMON_REGIONS: Final = ("US", "GB", "DE", "RU")


@dataclass(frozen=True, slots=True)
class Context:
    """`day_first` is the order of a day and a month that are both numbers: 3/11 is 3 November, not 11 March.

    `regions` are the countries (ISO 3166) whose national phone numbers are recognised, the likeliest first.
    """

    today: date
    stores: tuple[Store, ...] = ()
    day_first: bool = True
    regions: tuple[str, ...] = _COMMON_REGIONS


def context_of(stores: Collection[Store], zone: ZoneInfo, locale: str | None) -> Context:
    """The context of a viewer with these stores, in this time zone, whose browser speaks the locale (BCP 47)."""
    territory = _territory(locale) or get_global("zone_territories").get(zone.key)
    regions = dict.fromkeys(region for region in (territory, *_COMMON_REGIONS) if region)
    return Context(
        today=datetime.now(zone).date(),
        stores=tuple(stores),
        day_first=_is_day_first(locale, territory),
        regions=tuple(regions),
    )


def _territory(locale: str | None) -> str | None:
    parsed = _locale(locale)
    return None if parsed is None else parsed.territory


@lru_cache(maxsize=256)
def _locale(locale: str | None) -> Locale | None:
    if not locale:
        return None
    try:
        return Locale.parse(locale[:40], sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None


@lru_cache(maxsize=256)
def _is_day_first(locale: str | None, territory: str | None) -> bool:
    """Whether CLDR's short date of the locale writes the day before the month.

    A browser that says only "en" is American as often as not; the country of the time zone decides then.
    """
    parsed = _locale(locale)
    if parsed is not None and parsed.territory is None and territory is not None:
        parsed = _locale(f"{parsed.language}-{territory}") or parsed
    if parsed is None:
        return territory not in ("US", "PH", "FM", "PW")
    pattern = str(parsed.date_formats["short"].pattern)
    return pattern.find("d") < pattern.find("M")
