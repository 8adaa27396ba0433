"""Saved searches and named views that look for a person."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer, Text

from services.privacy.mentions import Kind, Mentions, Value
from services.text.keys import digits_of, email_key
from services.text.readings import key_of

_FIELDS: Final = {
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "first_name": Kind.NAME,
    "last_name": Kind.NAME,
    "company": Kind.COMPANY,
    "vat_number": Kind.VAT,
    "card_last_4": Kind.CARD,
}


class SearchedText(NamedTuple):
    """A field of a saved search, or of a view, with the text that is looked for. `key` is that of the search, or the ID
    of the view."""

    key: str | int
    is_view: bool
    field: str
    value: str


def find_saved_searches(connection: Connection, values: set[Value]) -> list[SearchedText]:
    """The fields that hold a value of the person; for administrators alone."""
    keys = {(value.kind, _comparable(value.kind, value.text)) for value in values}
    mentions = Mentions(values, strong_only=True)

    def holds(field: str, value: str) -> bool:
        kind = _FIELDS.get(field)
        return bool((kind and (kind, _comparable(kind, value)) in keys) or mentions.spans(value))

    searches = connection.execute(text("SELECT * FROM saved_search_texts()"))
    views = connection.execute(text("SELECT * FROM view_texts()"))
    return [
        *(
            SearchedText(row.key, False, row.field, row.value)
            for row in searches
            if holds(row.field, row.value)
        ),
        *(SearchedText(row.id, True, row.field, row.value) for row in views if holds(row.field, row.value)),
    ]


def erase_saved_searches(connection: Connection, values: set[Value]) -> int:
    """Remove the saved searches and the views that hold a value of the person; return how many there were."""
    gone = find_saved_searches(connection, values)
    if not gone:
        return 0
    statement = text("SELECT erase_saved_searches(:keys) + erase_views(:views)").bindparams(
        bindparam("keys", type_=ARRAY(Text)), bindparam("views", type_=ARRAY(Integer))
    )
    parameters = {
        "keys": sorted({str(searched.key) for searched in gone if not searched.is_view}),
        "views": sorted({int(searched.key) for searched in gone if searched.is_view}),
    }
    return int(connection.execute(statement, parameters).scalar_one())


def _comparable(kind: Kind, value: str) -> str:
    if kind is Kind.PHONE:
        return digits_of(value) or ""
    return key_of(email_key(value) or "") if kind is Kind.EMAIL else key_of(value).strip()
