"""The database of the benchmark."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.connections import engine
from db.embedded import server
from db.schema.migrate import migrate


@contextmanager
def own_database() -> Iterator[str]:
    """A migrated database on an embedded server in a folder of its own: the owner's address.

    Server and folder are removed after the block, and the environment variables are as before.
    """
    with tempfile.TemporaryDirectory(prefix="esupport-bench-") as folder:
        Path(folder).chmod(
            0o711
        )  # a server that root starts keeps its files in it, so that they are removed too
        before = dict(os.environ)
        for name in ("DATABASE_URL", "ESUPPORT_APP_DATABASE_URL"):
            os.environ.pop(name, None)
        os.environ["ESUPPORT_DATA"] = folder
        try:
            url = engine.owner_url()
            migrate(url)
            yield url
        finally:
            engine.dispose_engines()
            server.stop(Path(folder))
            os.environ.clear()
            os.environ.update(before)
