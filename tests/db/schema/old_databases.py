"""Databases as an earlier version left them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from alembic import command
from sqlalchemy import create_engine

from db.connections import roles
from db.schema.migrate import alembic_config
from tests.support.databases import create_database, drop_database

VERSION_0_1_0: Final = "0011"


@contextmanager
def old_database(server_url: str, revision: str) -> Iterator[str]:
    """An empty database with the schema of a revision: the owner's address. It is dropped after the block."""
    name = f"esupport_old_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name)
    roles.ensure_app_role(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    try:
        yield url
    finally:
        drop_database(server_url, name)
