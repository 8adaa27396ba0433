"""Backup and restore between real databases."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.operations.backup import BackupError, _adapted, _adapter, backup, restore
from db.operations.occupancy import occupancy
from db.schema.migrate import migrate
from tests.support.databases import create_database, drop_database

NAMES = ("esupport_backup_from", "esupport_backup_to")


@pytest.fixture
def databases(server_url: str, template_database: str) -> Iterator[tuple[str, str]]:
    """The owner's addresses of a migrated database with one account, and of one with nothing in it."""
    for name in NAMES:
        drop_database(server_url, name)
    source = create_database(server_url, NAMES[0], template_database)
    target = create_database(server_url, NAMES[1])
    execute(source, ADD_ACCOUNT, ["ÄNNA@demo.example", "Änna"])
    yield source, target
    for name in NAMES:
        drop_database(server_url, name)


ADD_ACCOUNT = "INSERT INTO account (email, name, role, password_hash) VALUES (%s, %s, 'analyst', '$2b$12$x')"


def execute(url: str, statement: str, values: list[str] | None = None) -> list[tuple[object, ...]]:
    with psycopg.connect(libpq_url(url)) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def tables(url: str) -> list[tuple[object, ...]]:
    """Name, row-level security and rights of every table."""
    return execute(
        url,
        "SELECT relname, relrowsecurity, relacl::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
    )


def test_restored_database_has_the_rows_rights_and_policies(
    databases: tuple[str, str], tmp_path: Path
) -> None:
    source, target = databases
    file = tmp_path / "a backup with spaces.dump"
    backup(source, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]

    restore(target, file)

    assert execute(target, "SELECT email, email_key FROM account") == [
        ("ÄNNA@demo.example", "änna@demo.example")
    ]
    assert tables(target) == tables(source)
    policies = "SELECT tablename, policyname, roles::text, qual FROM pg_policies ORDER BY 1, 2"
    assert execute(target, policies) == execute(source, policies)
    assert migrate(target) == []
    execute(target, ADD_ACCOUNT, ["next@demo.example", "Next"])  # the sequences go on where they were


def test_dump_is_one_moment_of_a_database_in_use(databases: tuple[str, str], tmp_path: Path) -> None:
    source, target = databases
    stop = threading.Event()

    def write() -> None:
        number = 0
        with psycopg.connect(libpq_url(source), autocommit=True) as connection:
            while not stop.is_set():
                with connection.transaction():
                    for half in ("a", "b"):
                        connection.execute(ADD_ACCOUNT, [f"{half}{number}@demo.example", half])
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(source, tmp_path / "dump")
    finally:
        stop.set()
        writer.join()
    restore(target, tmp_path / "dump")
    halves = "SELECT count(*) FILTER (WHERE name = 'a') - count(*) FILTER (WHERE name = 'b') FROM account"
    assert execute(target, halves) == [(0,)]


def test_database_with_a_table_is_refused_and_left_alone(databases: tuple[str, str], tmp_path: Path) -> None:
    source, target = databases
    backup(source, tmp_path / "dump")
    execute(target, "CREATE TABLE theirs (id integer)")
    with pytest.raises(BackupError, match="not empty"):
        restore(target, tmp_path / "dump")
    assert [row[0] for row in tables(target)] == ["theirs"]


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_damaged_file_restores_nothing(databases: tuple[str, str], tmp_path: Path, keep: float) -> None:
    source, target = databases
    backup(source, tmp_path / "dump")
    whole = (tmp_path / "dump").read_bytes()
    (tmp_path / "part").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(BackupError, match="Nothing was restored"):
        restore(target, tmp_path / "part")
    assert tables(target) == []
    restore(target, tmp_path / "dump")  # and the database is still good for the whole one


def test_file_of_another_kind_is_refused(databases: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "dump").write_text("DROP TABLE account;")
    with pytest.raises(BackupError, match="not a backup"):
        restore(databases[1], tmp_path / "dump")
    with pytest.raises(BackupError, match="cannot be read"):
        restore(databases[1], tmp_path / "missing")


def test_failed_backup_leaves_the_last_one(databases: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_bytes(b"the last one")
    with pytest.raises(BackupError, match="does not answer"):
        backup(databases[0].replace(NAMES[0], "esupport_no_such_database"), file)
    with pytest.raises(BackupError, match="not made"):
        backup(databases[0], tmp_path / "no such folder" / "dump")
    assert file.read_bytes() == b"the last one"
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_statements_are_adapted_to_the_server_and_data_is_not() -> None:
    lines = [
        b"SET transaction_timeout = 0;\n",
        b"SET lock_timeout = 0;\n",
        b'    RETURN lower(value COLLATE "und-x-icu");\n',
        b"    RETURN lower(value COLLATE pg_c_utf8);\n",
        b"ALTER TABLE ONLY public.account ALTER COLUMN id SET (pg_attver=7);\n",
        b"COPY public.mail (body) FROM stdin;\n",
        b"SET transaction_timeout = 0;\n",
        b'COLLATE "und-x-icu" and COLLATE pg_c_utf8\n',
        b"\\.\n",
    ]
    data = lines[5:]
    builtin, icu = b"    RETURN lower(value COLLATE pg_c_utf8);\n", lines[2]
    assert list(_adapted(lines, _adapter(18, True))) == [lines[0], lines[1], builtin, builtin, b"", *data]
    assert list(_adapted(lines, _adapter(15, False))) == [b"", lines[1], icu, icu, b"", *data]


def test_occupancy_tells_an_empty_database_from_a_used_one(databases: tuple[str, str]) -> None:
    source, target = databases
    migrate(target)
    assert occupancy(target).is_empty
    assert occupancy(target).demo_accounts == ()
    assert not occupancy(source).is_empty
    assert occupancy(source).demo_accounts == ("ÄNNA@demo.example",)
