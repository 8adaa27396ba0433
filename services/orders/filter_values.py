"""The values that a filter offers to choose from: what the viewer's stores have."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from db.statements.filter_values import filter_values_statement
from services.access import Viewer
from services.countries import country_code, country_name
from services.refunds.reasons import find_reasons
from services.text.keys import search_key

_MOST: Final = 200  # per store; what is not offered can be typed


@dataclass(frozen=True, slots=True)
class FilterValues:
    """Payment methods as shops send them, countries by their code or as they are sent, currencies by their code.

    `reasons` for refunds are those of the administrators' list, the ones that are no longer offered included.
    """

    payment_methods: tuple[str, ...]
    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    reasons: tuple[str, ...]


def filter_values(connection: Connection, viewer: Viewer) -> FilterValues:
    """What the orders of the viewer's stores have, by the alphabet; the reasons for refunds.

    Takes a few index look-ups per value, however many orders there are.
    """
    rows = connection.execute(
        filter_values_statement(), {"store_ids": list(viewer.store_ids), "most": _MOST}
    ).all()
    by_column: dict[str, set[str]] = {"payment_method": set(), "country": set(), "currency": set()}
    for column, value in rows:
        by_column[column].add(value)
    countries = {country_code(text) or text for text in by_column["country"]}
    return FilterValues(
        tuple(sorted(by_column["payment_method"], key=_by_alphabet)),
        tuple(sorted(countries, key=lambda country: _by_alphabet(country_label(country)))),
        tuple(sorted(by_column["currency"])),
        tuple(reason.reason for reason in find_reasons(connection)),
    )


def country_label(text: str) -> str:
    """A country as people read it: "Germany (DE)"; any other text as it is."""
    name = country_name(text)
    return text if name is None else f"{name} ({country_code(text)})"


def _by_alphabet(text: str) -> tuple[str, str]:
    return search_key(text) or "", text
