"""Connections as administrators see them: what each is, what went through it, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Column, Connection, Integer, Row, Select, Text, column, func, select

from db.schema.connection_states import ConnectionKind, InboxState, Purpose, Topic
from db.schema.connection_tables import awaited_action, connection_secret, delivery, inbox
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import checkout_page
from services.access import Viewer, require_administrator
from services.connections.kinds import incoming_address
from services.errors import NotFound
from services.events.awaiting import OPEN_STATES, find_waiting

SWITCHED_OFF_BY_HAND: Final = "Switched off by an administrator."


class ConnectionNotFound(NotFound):
    message = "There is no such connection."


class SentCounts(NamedTuple):
    """Deliveries by what became of them."""

    waiting: int = 0
    delivered: int = 0
    failed: int = 0


class SecretState(NamedTuple):
    """When the newest secret of a purpose was set, and until when the one before it is still valid.

    `is_test` for a key of the provider's test mode, with which no money moves.
    """

    since: datetime
    older_until: datetime | None
    is_test: bool


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """A connection with its counts; `received` lacks the states of which there is no message.

    `awaited` is the number of actions that wait for its answer.
    """

    id: int
    store_id: int
    store: str
    store_title: str | None
    kind: ConnectionKind
    name: str
    key: str
    out_url: str | None
    topics: tuple[Topic, ...]
    confirms: bool
    options: Mapping[str, object]  # JSON
    last_received_at: datetime | None
    last_delivered_at: datetime | None
    trouble: str | None
    trouble_since: datetime | None
    switched_off_at: datetime | None
    switched_off_because: str | None
    received: Mapping[InboxState, int]
    sent: SentCounts
    awaited: int
    secrets: Mapping[Purpose, SecretState]

    @property
    def address(self) -> str:
        """Where the other side posts to."""
        return incoming_address(self.kind, self.key)

    @property
    def in_trouble(self) -> bool:
        """Whether an administrator has to look at it."""
        if self.switched_off_at is not None:
            return self.switched_off_because != SWITCHED_OFF_BY_HAND
        return self.trouble is not None

    @property
    def sends_out(self) -> bool:
        return bool(self.topics)


def find_connections(connection: Connection, viewer: Viewer) -> tuple[ListedConnection, ...]:
    """All connections, by store and age. Raises `NotAllowed`."""
    require_administrator(viewer)
    received = _counts(connection, inbox.c.connection_id, inbox.c.state)
    sent = _counts(connection, delivery.c.connection_id, delivery.c.state)
    awaited = _counts(connection, awaited_action.c.connection_id, awaited_action.c.state)
    secrets = _secrets(connection)
    return tuple(
        _listed(
            row,
            {InboxState(state): number for state, number in received.get(row.id, {}).items()},
            SentCounts(**sent.get(row.id, {})),
            sum(awaited.get(row.id, {}).get(state, 0) for state in OPEN_STATES),
            secrets.get(row.id, {}),
        )
        for row in connection.execute(_statement().order_by(checkout_page.c.name, connection_table.c.id))
    )


def get_connection(connection: Connection, viewer: Viewer, connection_id: int) -> ListedConnection:
    """One connection without the counts of its messages. Raises `NotAllowed`, `ConnectionNotFound`."""
    require_administrator(viewer)
    row = connection.execute(_statement().where(connection_table.c.id == connection_id)).one_or_none()
    if row is None:
        raise ConnectionNotFound
    awaited = len(find_waiting(connection, connection_id))
    return _listed(row, {}, SentCounts(), awaited, _secrets(connection).get(row.id, {}))


def count_direct_messages(connection: Connection, viewer: Viewer) -> int:
    """The number of messages that shops have put in through the database (`api.put_order`). Raises `NotAllowed`."""
    require_administrator(viewer)
    number: int = connection.execute(
        select(func.count()).select_from(inbox).where(inbox.c.connection_id.is_(None))
    ).scalar_one()
    return number


def count_in_trouble(connection: Connection, viewer: Viewer) -> int:
    """The number of connections that need an administrator's attention. Raises `NotAllowed`."""
    require_administrator(viewer)
    # As the index `connection_trouble` has it.
    number: int = connection.execute(
        select(func.count())
        .select_from(connection_table)
        .where(
            connection_table.c.trouble.is_not(None) | connection_table.c.switched_off_at.is_not(None),
            connection_table.c.switched_off_because.is_distinct_from(SWITCHED_OFF_BY_HAND),
        )
    ).scalar_one()
    return number


def _statement() -> Select[*tuple[object, ...]]:
    own = {"id", "kind", "name", "topics", "confirms", "options"}
    own |= {"last_received_at", "last_delivered_at", "trouble", "trouble_since"}
    own |= {"switched_off_at", "switched_off_because"}
    # The addresses are keys: no viewer's transaction reads them from the table.
    addresses = (
        func.connection_addresses()
        .table_valued(column("connection_id", Integer), column("key", Text), column("out_url", Text))
        .alias("addresses")
    )
    return (
        select(
            *(own_column for own_column in connection_table.c if own_column.name in own),
            addresses.c.key,
            addresses.c.out_url,
            connection_table.c.checkout_page_id.label("store_id"),
            checkout_page.c.name.label("store"),
            checkout_page.c.title.label("store_title"),
        )
        .join(checkout_page, checkout_page.c.id == connection_table.c.checkout_page_id)
        .join(addresses, addresses.c.connection_id == connection_table.c.id)
    )


def _listed(
    row: Row[*tuple[object, ...]],
    received: Mapping[InboxState, int],
    sent: SentCounts,
    awaited: int,
    secrets: Mapping[Purpose, SecretState],
) -> ListedConnection:
    values = dict(row._mapping) | {
        "kind": ConnectionKind(row.kind),
        "topics": tuple(topic for topic in Topic if topic in row.topics),
    }
    return ListedConnection(**values, received=received, sent=sent, awaited=awaited, secrets=secrets)


def _counts(
    connection: Connection, connection_id: Column[int], state: Column[str]
) -> dict[int, dict[str, int]]:
    """By connection and state."""
    counted: dict[int, dict[str, int]] = {}
    statement = (
        select(connection_id, state, func.count())
        .where(connection_id.is_not(None))
        .group_by(connection_id, state)
    )
    for own_id, word, number in connection.execute(statement):
        counted.setdefault(own_id, {})[word] = number
    return counted


def _secrets(connection: Connection) -> dict[int, dict[Purpose, SecretState]]:
    """The valid secrets' ages by connection and purpose; the secrets themselves cannot be read here."""
    states: dict[int, dict[Purpose, SecretState]] = {}
    columns = connection_secret.c
    for row in connection.execute(
        select(
            columns.connection_id, columns.purpose, columns.created_at, columns.valid_until, columns.is_test
        )
        .where(columns.valid_until.is_(None) | (columns.valid_until > func.now()))
        .order_by(columns.id)
    ):
        own = states.setdefault(row.connection_id, {})
        older = own.get(Purpose(row.purpose))
        until = older.older_until if older else None
        # The newest has no end; those before it come first.
        own[Purpose(row.purpose)] = SecretState(row.created_at, row.valid_until or until, row.is_test)
    return states
