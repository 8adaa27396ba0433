"""One primary with the demo's orders, one replica and one PgBouncer for all tests of this folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.connections import engine as db_engine
from db.connections import replica as db_replica
from db.connections import wal_positions
from db.embedded.home import Home
from db.schema.migrate import migrate
from tests.scaling.servers import Replica, Server, pgbouncer, primary, replica_of
from tests.support.portal import PROJECT


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """With a short path, for sockets, which the servers' own account can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="esupport-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(folder: Path) -> Iterator[tuple[Server, Home]]:
    with primary(folder / "data") as (server, home):
        migrate(server.url)
        environment = os.environ | {"DATABASE_URL": server.url}
        environment.pop("ESUPPORT_APP_DATABASE_URL", None)
        command = [sys.executable, "-m", "db", "demo"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=120, capture_output=True)
        yield server, home


@pytest.fixture(scope="session")
def replica(servers: tuple[Server, Home]) -> Iterator[Replica]:
    with replica_of(*servers) as replica:
        yield replica


@pytest.fixture(scope="session")
def bouncer(servers: tuple[Server, Home], folder: Path) -> Iterator[str]:
    """The app's address at PgBouncer."""
    (folder / "pgbouncer").mkdir()
    with pgbouncer(*servers, folder / "pgbouncer") as url:
        yield url


@pytest.fixture
def scaled(
    servers: tuple[Server, Home], replica: Replica, bouncer: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """This process as one of the portal's: writing through PgBouncer, reading from the replica. The primary."""
    server, _ = servers
    monkeypatch.setenv("DATABASE_URL", server.url)
    monkeypatch.setenv("ESUPPORT_APP_DATABASE_URL", bouncer)
    monkeypatch.setenv("DATABASE_READ_URL", replica.url)
    monkeypatch.setattr(db_replica, "_asked_again_at", 0.0)
    monkeypatch.setattr(db_replica, "_logged_at", float("-inf"))
    db_engine.dispose_engines()
    wal_positions.forget_all()
    yield server
    db_engine.dispose_engines()
