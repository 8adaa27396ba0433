"""The migrations: the tables of the code are theirs, and each runs once."""

import threading
import uuid

from alembic import autogenerate
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from db.schema.all_tables import metadata
from db.schema.migrate import migrate
from tests.support.databases import create_database, drop_database


def test_tables_in_the_code_are_those_of_the_migrations(database: str) -> None:
    engine = create_engine(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = autogenerate.compare_metadata(context, metadata)
    engine.dispose()
    # Indexes, unique and foreign keys are written in SQL alone; tables and columns must agree.
    structural = [
        d
        for d in differences
        if "index" not in str(d[0])
        and "constraint" not in str(d[0])
        and d[0] != "add_fk"
        and d[0] != "remove_fk"
    ]
    assert structural == []


def test_second_migration_finds_nothing_to_do(database: str) -> None:
    assert migrate(database) == []


def test_two_starters_at_once_migrate_once(server_url: str) -> None:
    name = f"esupport_race_{uuid.uuid4().hex[:8]}"
    url = create_database(server_url, name)
    barrier, applied, errors = threading.Barrier(4), [], []

    def start() -> None:
        barrier.wait()
        try:
            applied.append(migrate(url))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drop_database(server_url, name)
    assert errors == []
    assert sorted(applied, key=len)[:3] == [[], [], []]
    assert max(applied, key=len)[0] == "0001"
