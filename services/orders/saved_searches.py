"""Saved searches: a short key makes an address that does not reveal what was searched for."""

import hashlib
import json
import secrets

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from db.schema.portal_tables import saved_search
from services.access import Viewer
from services.errors import NotFound
from services.orders.filters import OrderFilter


class SearchNotFound(NotFound):
    message = "This saved search does not exist, or was removed because nobody opened it for a year."


def save_search(connection: Connection, viewer: Viewer, order_filter: OrderFilter) -> str:
    """The key of this search, 128 random bits; the same viewer's same search always has the same key."""
    stored = order_filter.to_json()
    digest = hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).digest()
    mine = (saved_search.c.account_id == viewer.account_id, saved_search.c.filters_digest == digest)
    if key := connection.execute(select(saved_search.c.key).where(*mine)).scalar_one_or_none():
        return str(key)
    connection.execute(
        insert(saved_search)
        .values(
            key=secrets.token_urlsafe(16), account_id=viewer.account_id, filters_digest=digest, filters=stored
        )
        .on_conflict_do_nothing(index_elements=["account_id", "filters_digest"])
    )
    return str(connection.execute(select(saved_search.c.key).where(*mine)).scalar_one())


def open_search(connection: Connection, viewer: Viewer, key: str) -> OrderFilter:
    """The search behind a key, no matter who saved it; its results depend on the viewer's own scope.

    Raises `SearchNotFound`.
    """
    stored = None
    if 10 <= len(key) <= 40 and key.isascii() and "\0" not in key:
        stored = connection.execute(text("SELECT open_saved_search(:key)"), {"key": key}).scalar_one()
    if stored is None:
        raise SearchNotFound
    return OrderFilter.from_json(stored)
