"""The connections that this process delivers to: one worker per connection, decided by session-level advisory locks.

The session belongs to the process: a worker that is killed gives its connections back at once, without a time limit
that could run out while a slow shop still answers. No row and no transaction is held while a shop takes its time.
"""

import logging
from typing import Final, LiteralString

import psycopg

from db.connections.engine import owner_url
from db.connections.roles import libpq_url

log = logging.getLogger("esupport.worker")

_TRY: Final = "SELECT pg_try_advisory_lock(hashtext('esupport deliveries'), %s)"
_GIVE_BACK: Final = "SELECT pg_advisory_unlock(hashtext('esupport deliveries'), %s)"


class LaneLocks:
    """The locks of one process. Use from one thread."""

    def __init__(self) -> None:
        self._session: psycopg.Connection | None = None
        self._held: Final[set[int]] = set()

    @property
    def held(self) -> frozenset[int]:
        """The connections that are this process's."""
        return frozenset(self._held)

    def claim(self, connection_id: int) -> bool:
        """Whether the connection is this process's now. Raises `psycopg.Error`; no lock is held then."""
        if connection_id in self._held:
            return True
        if self._ask(_TRY, connection_id):
            self._held.add(connection_id)
            return True
        return False

    def release(self, connection_id: int) -> None:
        """Let another worker deliver to the connection. Raises `psycopg.Error`; no lock is held then."""
        self._held.discard(connection_id)
        self._ask(_GIVE_BACK, connection_id)

    def check(self) -> None:
        """Raise `psycopg.Error` when the session is lost, and with it every lock."""
        if self._held:
            self._ask("SELECT true")

    def _ask(self, statement: LiteralString, *parameters: int) -> bool:
        try:
            if self._session is None:
                self._session = psycopg.connect(libpq_url(owner_url()), autocommit=True)
            row = self._session.execute(statement, parameters).fetchone()
        except psycopg.Error:
            self.close()
            raise
        return bool(row and row[0])

    def close(self) -> None:
        """Give everything back."""
        self._held.clear()
        if self._session is not None:
            self._session.close()
            self._session = None
