"""One PostgreSQL for the whole run, one migrated template, one clone of it a test module.

Without TEST_DATABASE_URL the embedded server is used, in a folder of its own below the system's temporary one. With
it (the owner's address of any database of a server >= 15, whose owner may create databases), that server.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from db.connections import engine as db_engine
from db.connections.roles import ensure_app_role, libpq_url
from db.schema.migrate import migrate
from tests.support.chromium import browser  # noqa: F401 - a fixture of several folders


def passable_folder(prefix: str) -> Path:
    """A new temporary folder that the server's account can pass through.

    When root runs the tests, the server's files lie inside then, and go with it.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The owner's address of the maintenance database of the test server."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    from db.embedded import server

    folder = passable_folder("esupport-test-")
    try:
        yield server.start(folder).url("postgres")
    finally:
        server.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def create_database(server_url: str, name: str, template: str = "template0") -> str:
    """Creates the database and returns its owner's address."""
    with psycopg.connect(libpq_url(server_url), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    if template != "template0":
        ensure_app_role(url)  # who may have temporary tables is no part of what is cloned
    return url


def drop_database(server_url: str, name: str) -> None:
    with psycopg.connect(libpq_url(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """The name of a migrated, empty database that modules clone."""
    name = f"esupport_template_{uuid.uuid4().hex[:8]}"
    migrate(create_database(server_url, name))
    yield name
    drop_database(server_url, name)


@pytest.fixture(scope="module")
def database(server_url: str, template_database: str) -> Iterator[str]:
    """A clone of the template for one module: the owner's address. DATABASE_URL points to it meanwhile."""
    name = f"esupport_test_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name, template_database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        db_engine.dispose_engines()
        yield url
        db_engine.dispose_engines()
    drop_database(server_url, name)
