"""Connections: as the app's role with a viewer, as the jobs' role, as the owner.

A transaction is one user action: it is opened here, once, at the edge; services never commit.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text

from db import roles
from db.settings import settings

# A page waits at most this long for a statement, and this long for somebody else's lock.
_APP_OPTIONS = (
    "-c statement_timeout=30s -c lock_timeout=3s -c idle_in_transaction_session_timeout=60s -c jit=off"
)

_engines: dict[str, Engine] = {}
_engines_lock = threading.Lock()


def owner_url() -> str:
    """The owner's address of the database in use; starts the embedded one when DATABASE_URL is unset."""
    current = settings()
    if current.database_url:
        return current.database_url
    from db import embedded  # the wheel is not needed where a server is given

    return embedded.start(current.data_dir).url()


def app_engine() -> Engine:
    """The pool of the pages: the app's role, bound by row-level security."""
    return _engine(
        f"app {settings().database_url} {settings().data_dir}",
        lambda: roles.app_url(owner_url()),
        _APP_OPTIONS,
    )


def owner_engine() -> Engine:
    """For migrations, and for taking on the jobs' role."""
    return _engine(f"owner {settings().database_url} {settings().data_dir}", owner_url, "-c jit=off")


def _engine(key: str, address: Callable[[], str], options: str) -> Engine:
    with _engines_lock:
        if key not in _engines:
            _engines[key] = create_engine(
                address(),
                pool_size=10,
                max_overflow=20,
                pool_pre_ping=True,
                # Server-side plans are made for the values at hand: one plan for all would fit none of them.
                connect_args={"options": options, "prepare_threshold": None, "application_name": "esupport"},
            )
        return _engines[key]


def dispose_engines() -> None:
    """Closes every pooled connection (for tests, and before the embedded server stops)."""
    with _engines_lock:
        for engine in _engines.values():
            engine.dispose()
        _engines.clear()


@contextmanager
def viewer_transaction(account_id: int) -> Iterator[Connection]:
    """One transaction in which row-level security shows what this account may see.

    The scope is local to the transaction, so that a pooled connection cannot carry it over to the next viewer.
    """
    with app_engine().begin() as connection:
        connection.execute(text("SELECT set_config('esupport.viewer', :id, true)"), {"id": str(account_id)})
        yield connection


@contextmanager
def anonymous_transaction() -> Iterator[Connection]:
    """One transaction without a viewer: every table is empty, only the functions of 0001_doors.sql answer."""
    with app_engine().begin() as connection:
        yield connection


@contextmanager
def jobs_transaction() -> Iterator[Connection]:
    """One transaction as the jobs' role: imports, demo data, housekeeping, mail."""
    with owner_engine().begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {roles.JOBS_ROLE}"))
        yield connection
