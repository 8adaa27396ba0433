"""Streamlit processes to measure from outside, and sessions without a password."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.orders import make_account, signed_in
from db.connections import engine
from db.connections.roles import libpq_url
from tests.support.ports import free_port

PROJECT = Path(__file__).resolve().parent.parent
PORTAL = "pages/web/server.py"
_PATIENCE = 60


@dataclass(frozen=True)
class Served:
    """A running Streamlit server."""

    url: str
    pid: int

    def memory_mb(self) -> float:
        """The resident memory of the process, in MiB, as Linux reports it."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def served(script: str = PORTAL, **environment: str) -> Iterator[Served]:
    """A process that serves `script` over the database in use, ended after the block.

    Raises `RuntimeError` when it does not answer within a minute.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)],
        cwd=PROJECT,
        env=os.environ | {"PORT": str(port)} | environment,
        stdout=subprocess.DEVNULL,  # errors go to standard error
    )
    try:
        wait_for(f"{url}/_stcore/health", process)
        yield Served(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Raises `RuntimeError` when the process does not answer within a minute, or has ended."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"Nothing answers at {address}.")


def cookies(number: int) -> list[str]:
    """The session cookies of `number` new accounts."""
    tokens = []
    with psycopg.connect(libpq_url(engine.owner_url()), autocommit=True) as connection:
        start = connection.execute("SELECT count(*) FROM account").fetchone()
        assert start is not None
        for offset in range(number):
            account_id = make_account(connection, f"person-{start[0] + offset}@bench.example")
            tokens.append(signed_in(account_id).token)
    return tokens
