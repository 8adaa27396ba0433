"""A data folder for each test, passable for the server's account."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import server
from tests.support.databases import MakeCluster


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can pass through, as it can in most places where people keep a
    clone."""
    path = Path(tempfile.mkdtemp(prefix="esupport test ", dir="/tmp"))
    path.chmod(0o711)
    yield path
    for secrets_file in path.rglob("secrets.json"):
        with contextlib.suppress(server.EmbeddedDatabaseError):
            server.stop(secrets_file.parent)
    shutil.rmtree(path)


@pytest.fixture
def data_dir(folder: Path, new_cluster: MakeCluster) -> Path:
    """The data folder of a portal that ran before: for tests that are not about making a cluster."""
    new_cluster(folder / "data")
    return folder / "data"
