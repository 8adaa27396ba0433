"""Brings a database to this version's schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from db import roles


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def migrate(owner_url: str) -> list[str]:
    """Runs what is missing, in one transaction, and returns the revisions that it ran (oldest first).

    Two starters at once do not collide: the second waits for the first and then finds nothing to do.
    """
    roles.ensure_app_role(owner_url)
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('esupport migrate'))"))
            before = _revision(connection)
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            script = ScriptDirectory.from_config(config)
            ran = [step.revision for step in script.iterate_revisions(_revision(connection), before)]
            return list(reversed(ran))
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
