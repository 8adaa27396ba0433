"""The version of the schema: the one that this code needs, and the one that a database has."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from db.schema.migrate import alembic_config


@cache
def required_revision() -> str:
    """The newest migration of this version, such as `0019`."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("db/migrations/versions holds no migration.")
    return head


def current_revision(connection: Connection) -> str | None:
    """The last migration that ran in the database; None for a database that was never migrated.

    `connection` must not be the app's: row-level security hides `alembic_version` from that role.
    """
    return MigrationContext.configure(connection).get_current_revision()
