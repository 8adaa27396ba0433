"""Migrations: bring a database to the schema of this version."""

import time
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from db.connections import roles

_PAUSE_SECONDS: Final = 0.1


def alembic_config() -> Config:
    """The configuration of Alembic; there is no alembic.ini."""
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    return config


def migrate(owner_url: str) -> list[str]:
    """Run the missing migrations, each in a transaction of its own, and return their revisions (oldest first).

    Two processes at once do not collide: the second waits for the first and then has nothing to do. An interrupted run
    is continued by the next one.
    """
    roles.ensure_app_role(owner_url)
    engine = create_engine(owner_url)
    try:
        # A lock of the session on a connection of its own: migrations of large tables commit in between.
        with engine.connect() as holder, engine.connect() as connection:
            _take_turn(holder)
            before = _revision(connection)
            connection.rollback()
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            script = ScriptDirectory.from_config(config)
            applied = [step.revision for step in script.iterate_revisions(_revision(connection), before)]
            return list(reversed(applied))
    finally:
        engine.dispose()


def _take_turn(holder: Connection) -> None:
    """Wait until no other process migrates this database.

    By polling: a waiting statement would hold a snapshot, and CREATE INDEX CONCURRENTLY of the other process would wait
    for the end of that snapshot in turn.
    """
    while True:
        is_locked = holder.execute(
            text("SELECT pg_try_advisory_lock(hashtext('esupport migrate'))")
        ).scalar_one()
        holder.commit()
        if is_locked:
            return
        time.sleep(_PAUSE_SECONDS)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
