"""The embedded database's life cycle, with real servers: each test makes its own and leaves no process
behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from db.embedded import home as embedded_home
from db.embedded import server
from db.embedded.processes import Account, run_as, server_processes
from tests.support.databases import MakeCluster

pytestmark = pytest.mark.slow

NOBODY = Account(65534, 65534)


def query(cluster: server.Cluster, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(cluster.url())
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def postmaster_pid(data_dir: Path) -> int:
    return int((embedded_home.find_home(data_dir).cluster / "postmaster.pid").read_text().split()[0])


def processes(data_dir: Path) -> set[int]:
    home = embedded_home.find_home(data_dir)
    return server_processes(home.account, home.cluster)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_rows_survive_a_stop_and_stop_leaves_no_process(folder: Path) -> None:
    data_dir = folder / "a, folder 'with' spaces & ünïcode %2F"
    first = server.start(data_dir)
    query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert processes(data_dir)
    server.stop(data_dir)
    assert not processes(data_dir)
    assert not server.is_running(data_dir)
    server.stop(data_dir)  # a second time is fine

    second = server.start(data_dir)

    assert second.password == first.password
    assert query(second, "SELECT answer FROM kept") == [(42,)]


def test_starting_a_running_server_adopts_it(data_dir: Path) -> None:
    first = server.start(data_dir)
    pid = postmaster_pid(data_dir)
    assert server.start(data_dir) == first
    assert postmaster_pid(data_dir) == pid


def test_server_is_closed_to_other_accounts_and_to_the_network(data_dir: Path) -> None:
    cluster = server.start(data_dir)
    assert query(cluster, "SHOW listen_addresses") == [("",)]
    status = cluster.host.stat()
    # Under root, the group of the server's account may pass: the portal's own ordinary users are given it.
    assert status.st_mode & 0o777 == (0o710 if os.geteuid() == 0 else 0o700)
    assert (data_dir / "secrets.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(cluster.host), user="esupport", password="wrong", dbname="esupport")
    assert cluster.password not in repr(cluster)


def test_settings_keep_data_and_keep_customers_out_of_the_log(folder: Path) -> None:
    cluster = server.start(folder / "data")
    assert query(cluster, "SHOW fsync") == query(cluster, "SHOW full_page_writes") == [("on",)]
    assert query(cluster, "SHOW data_checksums") == [("on",)]
    assert query(cluster, "SELECT lower('ÄÖÜ ЙΣ'), current_setting('server_encoding')") == [
        ("äöü йσ", "UTF8")
    ]
    query(cluster, "CREATE TABLE customer (email text PRIMARY KEY)")
    with contextlib.suppress(Exception):
        query(cluster, "INSERT INTO customer VALUES ('jane@example.com'), ('jane@example.com')")
    logs = list(embedded_home.find_home(folder / "data").cluster.glob("log/*.log"))
    until(lambda: "duplicate key" in "".join(log.read_text() for log in logs))
    assert "jane@" not in "".join(log.read_text() for log in logs)


def test_long_path_gets_its_socket_elsewhere_and_takes_it_away(
    folder: Path, new_cluster: MakeCluster
) -> None:
    data_dir = folder / ("x" * 100) / ("y" * 100)
    data_dir.parent.mkdir(mode=0o711)
    new_cluster(data_dir)
    cluster = server.start(data_dir)
    assert query(cluster, "SELECT 1") == [(1,)]
    assert len(str(cluster.host)) < 100
    assert cluster.host.stat().st_mode & 0o777 == (0o710 if os.geteuid() == 0 else 0o700)
    server.stop(data_dir)
    assert not cluster.host.exists()


def test_planted_link_in_the_temporary_folder_is_passed_over(folder: Path, new_cluster: MakeCluster) -> None:
    data_dir = folder / ("x" * 100)
    new_cluster(data_dir)
    expected = server.start(data_dir).host
    server.stop(data_dir)
    (folder / "trap").mkdir()
    expected.symlink_to(folder / "trap")
    try:
        cluster = server.start(data_dir)
        assert cluster.host != expected
        assert not list((folder / "trap").iterdir())
        assert query(cluster, "SELECT 1") == [(1,)]
    finally:
        expected.unlink()


def test_deleted_socket_makes_the_next_start_a_restart(data_dir: Path) -> None:
    cluster = server.start(data_dir)
    (cluster.host / ".s.PGSQL.5432").unlink()
    assert query(server.start(data_dir), "SELECT 1") == [(1,)]


def test_two_processes_at_once_share_one_server(folder: Path) -> None:
    data_dir = folder / "data"
    context = get_context("fork")
    barrier, answers = context.Barrier(3), context.SimpleQueue()

    def starter() -> None:
        barrier.wait()
        answers.put(server.start(data_dir).url())

    racers = [context.Process(target=starter) for _ in range(3)]
    for racer in racers:
        racer.start()
    urls = {answers.get() for _ in racers}
    for racer in racers:
        racer.join()
    assert len(urls) == 1
    assert server.start(data_dir).url() in urls


def test_killed_server_is_started_again_with_its_committed_rows(data_dir: Path) -> None:
    cluster = server.start(data_dir)
    query(cluster, "CREATE TABLE kept AS SELECT 42 AS answer")
    # A backend that is busy does not notice by itself that its server has gone.
    address = cluster.url().replace("+psycopg", "")
    slow = "SELECT sum(n) FROM generate_series(1, 1000000000) n"
    script = f"import psycopg; psycopg.connect({address!r}).execute({slow!r})"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as busy:
        active = (
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT sum(n)%' AND pid <> pg_backend_pid()"
        )
        until(lambda: query(cluster, active))
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
        again = server.start(data_dir)
        busy.wait(10)
    assert query(again, "SELECT answer FROM kept") == [(42,)]


def test_server_outlives_a_killed_starter_and_an_interrupt_of_its_group(data_dir: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from db.embedded import server as embedded; "
        "embedded.start(Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    )
    for number in (signal.SIGINT, signal.SIGKILL):
        command = [sys.executable, "-c", script, str(data_dir)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0
        ) as starter:
            assert starter.stdout is not None
            assert starter.stdout.readline() == "up\n"
            os.killpg(starter.pid, number)
            starter.stdout.read()  # ends only when no process we started still holds it
        assert query(server.start(data_dir), "SELECT 1") == [(1,)]


def test_pid_file_that_names_an_unrelated_process_is_no_server(data_dir: Path) -> None:
    server.start(data_dir)
    home = embedded_home.find_home(data_dir)
    content = (home.cluster / "postmaster.pid").read_text()
    server.stop(data_dir)
    command = ["setpriv", f"--reuid={home.account.uid}", "--clear-groups", "sleep", "60"]
    with subprocess.Popen(command if home.account.is_other else command[-2:]) as unrelated:
        try:
            lines = content.splitlines(keepends=True)
            (home.cluster / "postmaster.pid").write_text("".join([f"{unrelated.pid}\n", *lines[1:]]))
            os.chown(home.cluster / "postmaster.pid", home.account.uid, home.account.gid)
            assert not server.is_running(data_dir)
            assert query(server.start(data_dir), "SELECT 1") == [(1,)]
            assert unrelated.poll() is None
        finally:
            unrelated.kill()


def test_interrupted_initdb_does_not_stand_in_the_way(folder: Path) -> None:
    data_dir = folder / "data"
    starter = get_context("fork").Process(target=server.start, args=(data_dir,))
    starter.start()
    until(lambda: list(data_dir.glob(".postgres-init-*/new/PG_VERSION")))
    os.kill(starter.pid or 0, signal.SIGKILL)
    starter.join()
    assert not (data_dir / "postgres").exists()
    assert query(server.start(data_dir), "SELECT 1") == [(1,)]
    server.stop(data_dir)
    server.start(data_dir)
    assert query(server.start(data_dir), "SELECT 1") == [(1,)]


def test_lost_password_is_named_and_nothing_is_made_anew(data_dir: Path) -> None:
    server.start(data_dir)
    server.stop(data_dir)
    (data_dir / "secrets.json").rename(data_dir.with_name("kept"))
    with pytest.raises(server.EmbeddedDatabaseError, match=r"secrets\.json"):
        server.start(data_dir)
    data_dir.with_name("kept").rename(data_dir / "secrets.json")
    server.start(data_dir)


def test_pointer_to_a_lost_database_is_an_error_and_no_empty_database(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "postgres-is-at").write_text(f"{folder}/gone\n")
    with pytest.raises(server.EmbeddedDatabaseError, match="it is not there"):
        server.start(folder / "data")
    assert {path.name for path in (folder / "data").iterdir()} == {"embedded.lock", "postgres-is-at"}


def test_environment_of_another_server_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/elsewhere")
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    printed = run_as(Account(os.geteuid(), os.getegid()), ["/usr/bin/env"]).stdout
    assert "PGDATA" not in printed
    assert "LC_ALL=C.UTF-8" in printed


def test_unknown_program_is_refused() -> None:
    with pytest.raises(server.EmbeddedDatabaseError, match="no program"):
        server.binary("pg_nothing")
