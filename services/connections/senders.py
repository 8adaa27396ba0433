"""Connections that messages come in by, and what the web server remembers of them between two messages."""

import threading
from typing import Final

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.schema.connection_states import ConnectionKind, Purpose
from db.schema.connection_tables import connection as connection_table
from db.schema.connection_tables import connection_secret
from db.schema.order_tables import checkout_page
from services.connections.incoming import Sender

_MOST_SENDERS: Final = 10_000


def find_sender(connection: Connection, key: str) -> Sender | None:
    """The connection with this key that is not switched off. `connection` is the jobs' role's."""
    # One statement for the connection and its secrets: an unknown key takes as long as a known one.
    secrets = (
        select(func.array_agg(aggregate_order_by(connection_secret.c.secret, connection_secret.c.id.desc())))
        .where(
            connection_secret.c.connection_id == connection_table.c.id,
            connection_secret.c.purpose == Purpose.IN,
            or_(connection_secret.c.valid_until.is_(None), connection_secret.c.valid_until > func.now()),
        )
        .scalar_subquery()
    )
    row = connection.execute(
        select(
            connection_table.c.id,
            connection_table.c.kind,
            connection_table.c.checkout_page_id,
            connection_table.c.rate_per_minute,
            checkout_page.c.name,
            secrets.label("secrets"),
        )
        .join(checkout_page, checkout_page.c.id == connection_table.c.checkout_page_id)
        .where(connection_table.c.key == key, connection_table.c.switched_off_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return Sender(
        id=row.id,
        kind=ConnectionKind(row.kind),
        store_id=row.checkout_page_id,
        store=row.name,
        rate_per_minute=row.rate_per_minute,
        secrets=tuple(row.secrets or ()),
    )


class RememberedSenders:
    """The senders of the last messages by key, to verify the next ones with.

    What is remembered may be out of date. So nothing is decided by it alone: a message is only stored where the
    database still says the same (db/statements/receiving.py), and only refused after a look at the database.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._senders: dict[str, Sender] = {}

    def get(self, key: str) -> Sender | None:
        return self._senders.get(key)

    def set(self, key: str, sender: Sender | None) -> None:
        """Remember the sender; None forgets the key."""
        with self._lock:
            if sender is None:
                self._senders.pop(key, None)
                return
            if len(self._senders) >= _MOST_SENDERS:
                self._senders.clear()
            self._senders[key] = sender
