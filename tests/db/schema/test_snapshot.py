"""The files in db/schema/functions and db/schema/policies are what the migrated database has."""

import os
from pathlib import Path

from sqlalchemy import create_engine, text

from db.schema.snapshot import current_files, write_files, written_files

HOW = (
    "The migrated database has other functions or policies than db/schema/functions and db/schema/policies say. "
    "Rewrite the files: WRITE_SNAPSHOT=1 python -m pytest tests/db/schema/test_snapshot.py"
)


# The major version of PostgreSQL that printed the files: versions print policies a little differently.
PRINTED_BY = 18


def _current(database: str) -> tuple[int, dict[str, str]]:
    """The server's major version and what the files should be."""
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            return number // 10000, current_files(connection)
    finally:
        engine.dispose()


def test_files_say_what_is_in_force(database: str) -> None:
    version, current = _current(database)
    if os.environ.get("WRITE_SNAPSHOT"):
        write_files(current)
    written = written_files()
    if version != PRINTED_BY:
        assert written.keys() == current.keys(), HOW
        return
    differing = sorted(
        path for path in current.keys() | written.keys() if current.get(path) != written.get(path)
    )
    assert not differing, f"{HOW}\nDiffering: {', '.join(differing)}"


def test_the_rules_that_matter_are_among_them() -> None:
    written = written_files()
    assert {"functions/viewer_may_act.sql", "functions/viewer_role.sql", "policies/orders.sql"} <= set(
        written
    )


def test_writing_removes_what_is_gone_and_leaves_the_rest(tmp_path: Path) -> None:
    write_files({"functions/old.sql": "1\n", "policies/orders.sql": "2\n"}, tmp_path)
    write_files({"functions/new.sql": "3\n", "policies/orders.sql": "2\n"}, tmp_path)
    assert written_files(tmp_path) == {"functions/new.sql": "3\n", "policies/orders.sql": "2\n"}
