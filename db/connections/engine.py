"""Connections: as the app's role with a viewer, as the jobs' role, as the owner.

A transaction is one user action: it is opened here, once, at the edge; services never commit. What one of the app's
role needs is set inside it and nothing in its session, so that PgBouncer may be in between (transaction mode).
Searches, exports and reports are read through db/connections/replica.py.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from db.connections import roles, wal_positions
from db.connections.viewers import SignedIn
from db.errors import AccountUnusable, NotAllowed, SqlState, SupportError, sqlstate
from db.settings import database_settings

log = logging.getLogger("esupport.db")

# A page waits at most this long for a statement.
PAGE_SECONDS: Final = 15
_LOCK_SECONDS = 3
_IDLE_SECONDS = 60
# What every transaction of the app's role begins with: its limits, and who is looking. All of it ends with it.
_LIMITS: Final = (
    "set_config('statement_timeout', :longest, true), set_config('lock_timeout', :lock, true), "
    "set_config('idle_in_transaction_session_timeout', :idle, true), set_config('jit', 'off', true)"
)
LIMITS: Final = f"{_LIMITS}, become(:token, make_interval(mins => :idle_minutes))"
_BEGIN = text(f"SELECT {LIMITS}")
_BEGIN_ANONYMOUS = text(f"SELECT {_LIMITS}, set_config('esupport.viewer', '', true)")
# From left to right: the jobs' role alone may become a run's account, and the app's role is what acts for it.
_ACT_FOR_RUN = text(
    f"SELECT {_LIMITS}, become_for_run(:run) AS role, set_config('role', '{roles.APP_ROLE}', true)"
)
_AS_JOBS = text(f"SET LOCAL ROLE {roles.JOBS_ROLE}")
_ROLE = text("SELECT viewer_role()")
_HAS_WRITTEN = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")

_engines: dict[str, Engine] = {}
_engines_lock = threading.Lock()


def owner_url() -> str:
    """The owner's address of the database in use; starts the embedded one when DATABASE_URL is unset."""
    current = database_settings()
    if current.database_url:
        return current.database_url
    from db.embedded import server  # the wheel is not needed where a server is given

    return server.start(current.data_dir).url()


def app_engine() -> Engine:
    """The pool of the pages: the app's role, bound by row-level security."""
    return pooled(
        f"app {database_settings().database_url} {database_settings().app_database_url} {database_settings().data_dir}",
        app_address,
    )


def app_address() -> str:
    """The app's role's address; the owner's is not asked for where ESUPPORT_APP_DATABASE_URL is set."""
    return database_settings().app_database_url or roles.app_url(owner_url())


def owner_engine() -> Engine:
    """For migrations, and for taking on the jobs' role."""
    key = f"owner {database_settings().database_url} {database_settings().data_dir}"
    return pooled(key, owner_url, options="-c jit=off")


def pooled(key: str, address: Callable[[], str], **connect: Any) -> Engine:
    """The pool under that key, made at first sight; `connect` goes to the driver."""
    return _pool(key, address, connect, {"pool_pre_ping": True})


def _pool(
    key: str, address: Callable[[], str], connect: Mapping[str, object], options: Mapping[str, object]
) -> Engine:
    with _engines_lock:
        if key not in _engines:
            _engines[key] = create_engine(
                address(),
                pool_size=10,
                max_overflow=20,
                # An error's text ends up in logs, and parameters are customers' data.
                hide_parameters=True,
                # Server-side plans are made for the values at hand: one plan for all would fit none of them. Nor would
                # PgBouncer lead the next transaction to the server that has it.
                connect_args={"prepare_threshold": None, "application_name": "esupport", **connect},
                **options,
            )
        return _engines[key]


def dispose_engines() -> None:
    """Close every pooled connection (for tests, and before the embedded server stops)."""
    with _engines_lock:
        for engine in _engines.values():
            engine.dispose()
        _engines.clear()


def limits(account_id: int | None, longest_seconds: float) -> dict[str, str | int]:
    """The parameters of `LIMITS`. A transaction that may run long may also be read slowly."""
    parameters: dict[str, str | int] = {
        "longest": f"{round(longest_seconds * 1000)}ms",
        "lock": f"{_LOCK_SECONDS}s",
        "idle": f"{round(max(longest_seconds, _IDLE_SECONDS))}s",
    }
    if account_id is None:
        return parameters
    if not isinstance(account_id, SignedIn):
        raise TypeError("An account's id alone proves nothing: the viewer's transaction needs its session.")
    return parameters | {"token": account_id.token, "idle_minutes": database_settings().idle_minutes}


@contextmanager
def viewer_transaction(
    account_id: int, *, longest_seconds: float = PAGE_SECONDS, changes_orders: bool = True
) -> Iterator[Connection]:
    """One transaction in which row-level security shows what this account may see.

    `account_id` is a `db.connections.viewers.SignedIn`, such as `Viewer.account_id`: the database looks at its
    session. The scope
    is local to the transaction, so that a pooled connection cannot carry it over to the next viewer. No statement takes
    longer than `longest_seconds`. Where there is a replica, what was written is waited for before this account's next
    search reads there, unless `changes_orders` is false: a saved search or an audit row is in no result.

    Raises `AccountUnusable` instead of whatever was raised when the account was disabled or its session ended
    in between, and `NotAllowed` when the database refused a right.
    """
    try:
        with app_engine().connect() as connection:
            with connection.begin():
                connection.execute(_BEGIN, limits(account_id, longest_seconds))
                yield connection
                is_remembered = changes_orders and database_settings().database_read_url is not None
                has_written = is_remembered and _has_written(connection)
            if has_written:
                _remember(connection, account_id)
    except AccountUnusable:
        raise
    except Exception as error:
        refusal = _refusal(account_id, error)
        if refusal is None:
            raise
        if not isinstance(error, SupportError):
            log.warning("account %d: %s", account_id, refusal, exc_info=error)
        raise refusal from error


@contextmanager
def anonymous_transaction() -> Iterator[Connection]:
    """One transaction without a viewer: every table is empty, only the functions of 0001_doors.sql answer."""
    with app_engine().begin() as connection:
        connection.execute(_BEGIN_ANONYMOUS, limits(None, PAGE_SECONDS))
        yield connection


def _refusal(account_id: int, error: Exception) -> NotAllowed | None:
    """The sentence for an error that a change of the account's rights has caused; None for every other error.

    Rows that are gone and rights that are missing show in many ways, in the middle of anything; the account's state
    afterwards shows the reason.
    """
    if not isinstance(account_id, SignedIn):
        return None
    try:
        with app_engine().begin() as connection:
            connection.execute(_BEGIN, limits(account_id, PAGE_SECONDS))
            role = connection.execute(_ROLE).scalar_one()
    except SQLAlchemyError:
        return None
    if role is None:
        return AccountUnusable()
    # Row-level security, a right that is missing, or a function that refuses.
    is_refused = sqlstate(error) == SqlState.INSUFFICIENT_PRIVILEGE
    return NotAllowed() if is_refused else None


@contextmanager
def jobs_transaction() -> Iterator[Connection]:
    """One transaction as the jobs' role: imports, demo data, housekeeping, mail, the judging of second factors."""
    with jobs_connection() as connection, jobs_transaction_on(connection):
        yield connection


@contextmanager
def jobs_connection() -> Iterator[Connection]:
    """A connection for one transaction of the jobs' role after the other, for work that consists of many."""
    web_jobs_url = database_settings().web_jobs_database_url
    # A web server that runs as a user of its own does not know the owner's address.
    engine = (
        owner_engine()
        if web_jobs_url is None
        else pooled(f"jobs {web_jobs_url}", lambda: web_jobs_url, options="-c jit=off")
    )
    with engine.connect() as connection:
        yield connection


@contextmanager
def jobs_transaction_on(connection: Connection) -> Iterator[None]:
    """One transaction as the jobs' role on a `jobs_connection`."""
    with connection.begin():
        connection.execute(_AS_JOBS)
        yield


@contextmanager
def jobs_statements() -> Iterator[Connection]:
    """A connection as the jobs' role in which each statement is a transaction of its own, and one round trip.

    For messages that come in, whose senders wait for the answer: each further step is a wait for this process's turn.
    """
    current = database_settings()
    engine = _pool(
        f"jobs' statements {current.database_url} {current.web_jobs_database_url} {current.data_dir}",
        lambda: current.web_jobs_database_url or owner_url(),
        {"options": f"-c jit=off -c role={roles.JOBS_ROLE}"},
        # No statement but the caller's own.
        {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None},
    )
    with engine.connect() as connection:
        yield connection


def act_for_run(connection: Connection, run_id: int, *, longest_seconds: float) -> str | None:
    """Make the account of a bulk run the viewer of this transaction of the jobs' role, under the app's role.

    What follows sees and may do what that account may now, whatever its sessions. Returns the account's role, or None
    when the run is over or the account was disabled; the transaction has no viewer then.
    """
    row = connection.execute(_ACT_FOR_RUN, limits(None, longest_seconds) | {"run": run_id}).one()
    role: str | None = row.role
    return role


def _has_written(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    # One that failed, and whose error was swallowed, is rolled back and answers no question.
    if driver.info.transaction_status is not TransactionStatus.INTRANS:
        return False
    return bool(connection.execute(_HAS_WRITTEN).scalar_one())


def _remember(connection: Connection, account_id: int) -> None:
    # After the commit, whose own record has to be replayed as well. What was done is done: no error may say otherwise.
    try:
        position = wal_positions.current(connection)
    except SQLAlchemyError as error:
        log.warning("The position of a commit is unknown; its account reads from the primary: %s", error)
        position = wal_positions.NEVER
    wal_positions.remember(account_id, position)
