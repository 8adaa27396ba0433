"""Reading searches, exports and reports from a streaming replica, where DATABASE_READ_URL names one.

The reader gets what the primary would give, a moment late at most: their own changes, their stores as they are now.
Whenever the replica cannot promise that, or does not answer, the primary is read and nobody is told; see
docs/decisions/011-reading-from-a-replica.md.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from db.connections import engine, roles, wal_positions
from db.connections.engine import PAGE_SECONDS
from db.errors import SqlState, sqlstate
from db.settings import database_settings

log = logging.getLogger("esupport.db")
Found = TypeVar("Found")

RETRY_SECONDS = 10.0
_LOG_SECONDS = 60.0
# A machine that has gone must not keep anybody waiting: seconds to connect, milliseconds until a packet is answered.
_PATIENCE: Final = {"connect_timeout": 2, "tcp_user_timeout": 5000}

# What is selected is evaluated from left to right, so the viewer is known when their stores are asked for: a replica
# that does not know a new one yet would hide its orders. A server that is not in recovery is no
# replica, or no longer one.
_BEGIN = text(
    f"SELECT {engine.LIMITS}, pg_is_in_recovery(), coalesce("
    "pg_last_wal_replay_lsn() >= CAST(:required AS pg_lsn) "
    "AND viewer_page_ids() @> CAST(:store_ids AS integer[]), false)"
)

_lock = threading.Lock()
_asked_again_at = 0.0
_logged_at = float("-inf")


def read(
    account_id: int,
    store_ids: Collection[int],
    work: Callable[[Connection], Found],
    *,
    longest_seconds: float = PAGE_SECONDS,
) -> Found:
    """Return what `work` returns in a reading transaction; repeat it on the primary if the replica fails meanwhile."""
    is_replica = False
    try:
        with reading_transaction(account_id, store_ids, longest_seconds=longest_seconds) as connection:
            is_replica = is_at_replica(connection)
            return work(connection)
    except OperationalError as error:
        if not is_replica or sqlstate(error) == SqlState.QUERY_CANCELED:
            raise
        _complain(_reason(error))
    with engine.viewer_transaction(
        account_id, longest_seconds=longest_seconds, changes_orders=False
    ) as connection:
        return work(connection)


@contextmanager
def reading_transaction(
    account_id: int, store_ids: Collection[int], *, longest_seconds: float = PAGE_SECONDS
) -> Iterator[Connection]:
    """A transaction of this account for reading alone, on the replica if it serves, else on the primary.

    `store_ids` are the viewer's stores as the primary has them; the statements must carry them themselves, since
    row-level security on a replica that is behind still allows what was allowed a moment ago.
    """
    connection = _at_replica(account_id, store_ids, longest_seconds)
    if connection is None:
        with engine.viewer_transaction(
            account_id, longest_seconds=longest_seconds, changes_orders=False
        ) as connection:
            yield connection
        return
    with connection, connection.get_transaction():  # type: ignore[union-attr]
        yield connection


def is_at_replica(connection: Connection) -> bool:
    """Whether this connection reads from the replica."""
    return database_settings().database_read_url is not None and connection.engine is _engine()


def _at_replica(account_id: int, store_ids: Collection[int], longest_seconds: float) -> Connection | None:
    """A connection whose transaction has begun, or None when the primary has to do."""
    if database_settings().database_read_url is None or not _may_ask():
        return None
    if wal_positions.needs_sample():
        with engine.app_engine().connect() as primary:
            wal_positions.sample(wal_positions.current(primary))
    required = wal_positions.required(account_id)
    asked: dict[str, Any] = engine.limits(account_id, longest_seconds) | {
        "required": wal_positions.written(required),
        "store_ids": list(store_ids),
    }
    connection = None
    try:
        connection = _engine().connect()
        *_, is_replica, serves = connection.execute(_BEGIN, asked).one()
    except DBAPIError as error:
        if connection is not None:
            connection.close()
        _complain(_reason(error))
        return None
    if not is_replica:
        _complain("It is no replica.")
    elif serves:
        wal_positions.forget(account_id, required)
        return connection
    connection.close()
    return None


def _engine() -> Engine:
    """The pool at the replica. Whatever user the address names, it is the app's role that reads there."""
    return engine.pooled(f"read {database_settings().database_read_url}", _address, **_PATIENCE)


def _address() -> str:
    url = make_url(database_settings().database_read_url or "")
    if url.username != roles.APP_ROLE or url.password is None:
        own = make_url(engine.app_address())
        url = url.set(username=own.username, password=own.password)
    return url.render_as_string(hide_password=False)


def _may_ask() -> bool:
    with _lock:
        return time.monotonic() >= _asked_again_at


def _reason(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _complain(reason: str) -> None:
    """Leaves the replica alone for a while, and says so in the log once a minute."""
    global _asked_again_at, _logged_at
    now = time.monotonic()
    with _lock:
        _asked_again_at = now + RETRY_SECONDS
        is_said = now - _logged_at < _LOG_SECONDS
        if not is_said:
            _logged_at = now
    if not is_said:
        log.warning("The replica does not serve, so the primary is read: %s", reason)
