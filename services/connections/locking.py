"""A connection locked for a change by an administrator, and what others of its store have to say in it."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from db.schema.connection_states import ConnectionKind
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import checkout_page
from services.access import Viewer, require_administrator
from services.connections.kinds import CONFIRMED_TOPICS
from services.connections.listing import ConnectionNotFound
from services.errors import InvalidInput, NotFound


class KnownConnection(NamedTuple):
    """A connection that is locked for a change."""

    id: int
    store_id: int
    store: str
    kind: ConnectionKind
    name: str
    is_switched_off: bool


def lock_connection(connection: Connection, viewer: Viewer, connection_id: int) -> KnownConnection:
    """The connection, locked after its store: what others of the store confirm is looked at under that lock."""
    require_administrator(viewer)
    columns = connection_table.c
    store_id = connection.execute(
        select(columns.checkout_page_id).where(columns.id == connection_id)
    ).scalar_one_or_none()
    if store_id is None:
        raise ConnectionNotFound
    store = lock_store(connection, store_id)
    row = connection.execute(
        select(columns.kind, columns.name, columns.switched_off_at)
        .where(columns.id == connection_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise ConnectionNotFound
    return KnownConnection(
        connection_id,
        store_id,
        store,
        ConnectionKind(row.kind),
        row.name,
        row.switched_off_at is not None,
    )


def lock_store(connection: Connection, store_id: int) -> str:
    name: str | None = connection.execute(
        select(checkout_page.c.name).where(checkout_page.c.id == store_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such checkout page.")
    return name


def require_only_word(
    connection: Connection,
    store_id: int,
    kind: ConnectionKind,
    confirms: bool,
    topics: Collection[str],
    *,
    own_id: int | None,
) -> None:
    """Raise `InvalidInput` when another connection of the store and kind confirms one of the same topics.

    Between kinds there is an order instead (services/events/awaiting.py): who carries the money out comes first.
    """
    awaited = CONFIRMED_TOPICS.intersection(topics)
    if not confirms or not awaited:
        return
    columns = connection_table.c
    other = connection.execute(
        select(columns.name, columns.topics)
        .where(
            columns.checkout_page_id == store_id,
            columns.kind == kind,
            columns.confirms,
            columns.switched_off_at.is_(None),
            columns.id.is_distinct_from(own_id),
            columns.topics.overlap(sorted(awaited)),
        )
        .limit(1)
    ).first()
    if other is None:
        return
    shared = " and ".join(sorted(awaited.intersection(other.topics)))
    raise InvalidInput(
        f"The connection {other.name} confirms {shared} of this store already; only one word can count.",
        field="confirms",
    )
