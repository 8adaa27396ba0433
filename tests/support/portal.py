"""One real server over one demo database for all tests that need a running portal.

Tests must leave the demo accounts as they are, since all of them share the server: a test that locks, disables or
changes an account makes one of its own with `add_account`.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.connections.roles import libpq_url
from services.authentication.passwords import hash_password
from tests.support.databases import create_database, drop_database
from tests.support.mail_server import MailServer, mail_server
from tests.support.ports import free_port

PROJECT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "demo-Portal-1"


@dataclass(frozen=True, slots=True)
class Portal:
    """A running portal: its address, the owner's address of its database, and what its web server wrote."""

    url: str
    database_url: str
    log: Path

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement as the owner, commit it, and return its rows, if any."""
        cursor = _connection(self.database_url).execute(statement, values)
        return cursor.fetchall() if cursor.description else []


_connections: dict[str, psycopg.Connection] = {}


def _connection(url: str) -> psycopg.Connection:
    """One for each database: signing in at the server costs more than most statements."""
    connection = _connections.get(url)
    if connection is None or connection.closed:
        connection = psycopg.connect(libpq_url(url), autocommit=True, prepare_threshold=None)
        _connections[url] = connection
    return connection


@cache
def _password_hash() -> str:
    """Of `PASSWORD`, at the product's cost, which is high on purpose: once for all accounts."""
    return hash_password(PASSWORD)


@pytest.fixture(scope="session")
def mailbox() -> Iterator[MailServer]:
    """What the portal's mails arrive at."""
    with mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def portal(
    server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory, mailbox: MailServer
) -> Iterator[Portal]:
    name = f"esupport_browser_{uuid.uuid4().hex[:8]}"
    database_url = create_database(server_url, name, template_database)
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "SMTP_URL": mailbox.url,
        # Shops of the tests are on this machine.
        "ESUPPORT_HOOK_HOSTS": "127.0.0.1",
    }
    environment.pop("ESUPPORT_APP_DATABASE_URL", None)
    subprocess.run(
        [sys.executable, "-m", "db", "demo"], cwd=PROJECT, env=environment, check=True, timeout=300
    )
    worker = subprocess.Popen([sys.executable, "-m", "services.mail"], cwd=PROJECT, env=environment)
    try:
        log = tmp_path_factory.mktemp("portal") / "server.log"
        with serving(environment, log) as url:
            yield Portal(url, database_url, log)
    finally:
        end(worker)
        drop_database(server_url, name)


@pytest.fixture(autouse=True)
def rested(request: pytest.FixtureRequest) -> None:
    """All tests come from one network: what the last one got wrong makes the next one wait for nothing."""
    if "portal" in request.fixturenames:
        request.getfixturevalue("portal").execute("DELETE FROM sign_in_attempt")


@contextmanager
def serving(
    environment: dict[str, str],
    log: Path,
    *,
    project: Path = PROJECT,
    script: str = "pages/web/server.py",
    health: str = "/health",
) -> Iterator[str]:
    """A web server at the environment's port, for the block; its address."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                script,
                "--server.port",
                environment["PORT"],
            ],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://localhost:{environment['PORT']}{health}", server, log)
        yield f"http://localhost:{environment['PORT']}"
    finally:
        end(server)


@contextmanager
def hook_server(database_url: str, port: int, log: Path) -> Iterator[str]:
    """The process for messages alone, at that port; its address."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "pages.web.hook_server"],
            cwd=PROJECT,
            env=os.environ | {"DATABASE_URL": database_url, "ESUPPORT_HOOKS_PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://localhost:{port}/health", server, log)
        yield f"http://localhost:{port}"
    finally:
        end(server)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def add_account(
    portal: Portal, name: str, *, role: str = "specialist", must_change_password: bool = False
) -> str:
    """A new account of the team's first store, with the demo accounts' password; returns its email."""
    email = f"{name}-{uuid.uuid4().hex[:8]}@test.example"
    portal.execute(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) VALUES (%s, %s, %s, %s, %s)",
        email,
        name,
        role,
        _password_hash(),
        must_change_password,
    )
    return email


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Waits until a server that was just started answers; fails with its log when it ends or takes a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace') if log else ''}")
