"""A database that the benchmarks have for themselves."""

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
    """An embedded server in a folder of its own, migrated; the owner's address. Both are gone after the block."""
    with tempfile.TemporaryDirectory(prefix="esupport-bench-") as folder:
        Path(folder).chmod(0o711)  # so that the files of a server of root's lie in it, and go with it
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
