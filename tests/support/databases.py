"""One initdb for the whole run, one PostgreSQL per process, one migrated template there, one clone of it per module.

Without TEST_DATABASE_URL the embedded server is used, in a folder of its own below the system's temporary one. With
it (the owner's address of any database of a server >= 15, whose owner may create databases), that server.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from db.connections import engine as db_engine
from db.connections.roles import ensure_app_role, libpq_url
from db.embedded import server
from db.embedded.home import find_home
from db.embedded.local_secrets import locked
from db.schema.migrate import migrate

# Given the path of a data folder that does not exist yet, puts a new cluster there.
MakeCluster = Callable[[Path], None]
# Nothing here outlives the run, so a power cut may take it. Everything else is as the product sets it.
_UNSAFE = "\nfsync = off\nfull_page_writes = off\n"


def passable_folder(prefix: str) -> Path:
    """A new temporary folder that the server's account can pass through.

    When root runs the tests, the server's files lie inside then, and go with it.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def new_cluster(tmp_path_factory: pytest.TempPathFactory) -> MakeCluster:
    """Puts a cluster where a data folder is to be: as the product makes it, but copied, since initdb takes seconds.

    The first process that needs one makes the model for all processes of the run.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    model = shared / "cluster"
    with locked(shared, "cluster.lock"):
        if not model.exists():
            workshop = passable_folder("esupport-model-")
            try:
                server.start(workshop)
                server.stop(workshop)
                assert find_home(workshop).folder == workshop, (
                    f"{workshop} is closed to the server's account."
                )
                _copy(workshop, shared / "cluster-copy")
                (shared / "cluster-copy").rename(model)
            finally:
                shutil.rmtree(workshop, ignore_errors=True)

    def copy(data_dir: Path) -> None:
        _copy(model, data_dir)

    return copy


def _copy(source: Path, target: Path) -> None:
    """With owners and modes, which Python's own copies leave behind."""
    subprocess.run(["cp", "-a", "--", str(source), str(target)], check=True)


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The owner's address of the maintenance database of the test server."""
    if address := os.environ.get("TEST_DATABASE_URL"):
        yield make_url(address).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    folder = passable_folder("esupport-test-")
    data_dir = folder / "data"
    try:
        request.getfixturevalue("new_cluster")(data_dir)
        with (data_dir / "postgres" / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(_UNSAFE)
        yield server.start(data_dir).url("postgres")
    finally:
        server.stop(data_dir)
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
    """A clone of the template for one module: the owner's address. DATABASE_URL names it for the module's time."""
    name = f"esupport_test_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name, template_database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        db_engine.dispose_engines()
        yield url
        db_engine.dispose_engines()
    drop_database(server_url, name)
