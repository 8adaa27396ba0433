"""The servers of a larger installation, as this machine can run them: a primary and its replica, PgBouncer, nginx.

PgBouncer and nginx run the example files of docs/, with ports, names and paths of the test's own put into a copy.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import trustme
from psycopg.conninfo import make_conninfo

from db.connections.roles import APP_ROLE, libpq_url, role_password
from db.embedded import server as embedded
from db.embedded.cluster import run_program
from db.embedded.home import Home, find_home
from tests.support.portal import PROJECT, end
from tests.support.ports import free_port

_REPLICA_PORT = 5433  # names its socket only
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server: the owner's address of the portal's database there."""

    url: str

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement as the owner and returns its rows, if any."""
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *values: object) -> object:
        return self.execute(statement, *values)[0][0]

    def waits_for(self, statement: str, *values: object) -> None:
        """Until the statement, asked again and again, says true."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            while connection.execute(statement, values).fetchone() != (True,):
                assert time.monotonic() < deadline, statement
                time.sleep(0.02)


@dataclass(frozen=True)
class Replica(Server):
    """A streaming replica of `primary`, whose files are in `folder`."""

    primary: Server
    home: Home
    folder: Path

    def start(self) -> None:
        options = f"-c listen_addresses='' -c port={_REPLICA_PORT} -c hot_standby_feedback=on"
        log = self.folder / "startup.log"
        arguments = ["start", "-D", str(self.folder), "-w", "-t", "60", "-s", "-l", str(log)]
        result = run_program(
            self.home, "pg_ctl", [*arguments, "-o", f"{options} -k {self.home.folder / 'run'}"]
        )
        assert result.returncode == 0, log.read_text()

    def kill(self) -> None:
        """As a machine that loses its power: nobody is told."""
        run_program(self.home, "pg_ctl", ["stop", "-D", str(self.folder), "-m", "immediate", "-w"])

    def catch_up(self) -> None:
        """Waits until everything is here that was committed so far."""
        # A new record, since the place in front of the next one may lie behind the end of the last.
        self.primary.execute("SELECT pg_logical_emit_message(false, 'test', '')")
        position = self.primary.value("SELECT pg_current_wal_flush_lsn()::text")
        self.waits_for("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile it receives what happens and shows nothing of it."""
        self.catch_up()
        self.execute("SELECT pg_wal_replay_pause()")
        self.waits_for("SELECT pg_get_wal_replay_pause_state() = 'paused'")
        try:
            yield
        finally:
            self.execute("SELECT pg_wal_replay_resume()")
            self.catch_up()


@contextmanager
def primary(folder: Path) -> Iterator[tuple[Server, Home]]:
    """An embedded server in that folder, for the block."""
    try:
        yield Server(embedded.start(folder).url()), find_home(folder)
    finally:
        embedded.stop(folder)


@contextmanager
def replica_of(server: Server, home: Home) -> Iterator[Replica]:
    folder = home.folder / "replica"
    folder.mkdir(mode=0o700)
    if home.account.is_other:
        os.chown(folder, home.account.uid, home.account.gid)
    source = make_conninfo(libpq_url(server.url), dbname="replication")
    result = run_program(home, "pg_basebackup", ["-d", source, "-D", str(folder), "-R", "-c", "fast"])
    assert result.returncode == 0, result.stderr
    replica = Replica(server.url.replace("port=5432", f"port={_REPLICA_PORT}"), server, home, folder)
    replica.start()
    try:
        yield replica
    finally:
        replica.kill()


@contextmanager
def pgbouncer(server: Server, home: Home, folder: Path) -> Iterator[str]:
    """docs/pgbouncer.ini in front of the server; the app's address there."""
    port, password = free_port(), role_password(server.url, APP_ROLE)
    users = folder / "userlist.txt"
    users.write_text(f'"{APP_ROLE}" "{password}"\n')
    configuration = folder / "pgbouncer.ini"
    replacements = (
        ("host=127.0.0.1 port=5432", f"host={home.folder / 'run'} port=5432"),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("/etc/pgbouncer/userlist.txt", str(users)),
        ("/var/log/postgresql/pgbouncer.log", str(folder / "pgbouncer.log")),
        ("/var/run/postgresql/pgbouncer.pid", str(folder / "pgbouncer.pid")),
    )
    configuration.write_text(_with(PROJECT / "docs" / "pgbouncer.ini", replacements))
    for path in (folder, users, configuration):
        if home.account.is_other:  # it does not run as root
            os.chown(path, home.account.uid, home.account.gid)
    process = subprocess.Popen(
        [_program("pgbouncer"), "-q", str(configuration)],
        user=home.account.uid if home.account.is_other else None,
        group=home.account.gid if home.account.is_other else None,
        extra_groups=[] if home.account.is_other else None,
        cwd="/",
        stderr=subprocess.DEVNULL,
    )
    url = f"postgresql://{APP_ROLE}:{password}@127.0.0.1:{port}/esupport"
    try:
        _until_it_answers(lambda: psycopg.connect(url).close(), process, folder / "pgbouncer.log")
        yield url
    finally:
        end(process)


@contextmanager
def nginx(ports: tuple[int, int], folder: Path) -> Iterator["Proxy"]:
    """docs/nginx.conf in front of two processes; a hook server may be started at the proxy's `hooks_port`."""
    port, plain, hooks_port = free_port(), free_port(), free_port()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(folder / "site.pem")
    certificate.private_key_pem.write_to_path(folder / "site.key")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    replacements = (
        ("127.0.0.1:8501", f"127.0.0.1:{ports[0]}"),
        ("127.0.0.1:8502", f"127.0.0.1:{ports[1]}"),
        ("127.0.0.1:8601", f"127.0.0.1:{hooks_port}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("/etc/ssl/support.example.com.pem", str(folder / "site.pem")),
        ("/etc/ssl/support.example.com.key", str(folder / "site.key")),
        (
            "access_log /var/log/nginx/access.log esupport;",
            f"access_log {folder / 'site.log'} esupport; access_log {folder / 'access.log'} process;",
        ),
        ("/var/log/nginx/error.log", str(folder / "site-error.log")),
    )
    site = _with(PROJECT / "docs" / "nginx.conf", replacements).replace("support.example.com", "localhost")
    (folder / "site.conf").write_text(site)
    temporary = "\n".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    log = folder / "access.log"
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'} warn;\n"
        "events { worker_connections 512; }\n"
        "http { log_format process '$uri\t$status\t$upstream_addr\t$cookie_esupport_process';\n"
        f"{temporary}\ninclude {folder / 'site.conf'}; }}\n"
    )
    options = ("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    process = subprocess.Popen([_program("nginx"), *options])
    try:
        proxy = Proxy(port, plain, hooks_port, folder / "authority.pem", log)
        _until_it_answers(proxy.connect, process, folder / "error.log")
        yield proxy
    finally:
        end(process)


@dataclass(frozen=True)
class Proxy:
    """nginx: its two ports, the one where it expects the hook server, the certificate of the authority behind its own,
    and what it has passed on."""

    port: int
    plain_port: int
    hooks_port: int
    authority: Path
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def connect(self) -> None:
        socket.create_connection(("127.0.0.1", self.port), timeout=2).close()

    def passed(self) -> list[tuple[str, int, str, str]]:
        """Path, status, port of the last process asked ("" for none) and the browser's cookie, of each request."""
        requests = []
        for line in self.log.read_text().splitlines():
            uri, status, upstream, cookie = line.split("\t")
            requests.append((uri, int(status), upstream.strip("-").rpartition(":")[2], cookie))
        return requests


def _with(example: Path, replacements: tuple[tuple[str, str], ...]) -> str:
    text = example.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, f"{example} has no {old} any more."
        text = text.replace(old, new)
    return text


def _program(name: str) -> str:
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program, f"The tests of a larger installation need {name}: apt-get install nginx pgbouncer."
    return program


def _until_it_answers(ask: object, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask()  # type: ignore[operator]
            return
        except (OSError, psycopg.OperationalError):
            time.sleep(0.05)
    raise AssertionError(log.read_text() if log.is_file() else "It did not start.")
