"""Tools for migrations: run a file of SQL, change a large table in batches, limit a column to certain words.

Each migration is a transaction of its own. People search while it runs, so it must not hold a lock for long: a file
that cannot get its locks within two seconds gives way and is tried again, and a change to every row of a large table is
made in batches, each committed on its own.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg.errors
from alembic import op
from psycopg import sql

log = logging.getLogger("esupport.migrate")

SQL: Final = Path(__file__).parent / "sql"
BATCH_ROWS: Final = 5_000
_LOCK_SECONDS: Final = 2
_TRIES: Final = 300
_PAUSE_SECONDS: Final = 1.0


def run_sql(name: str, **replacements: str) -> None:
    """Run a file of `db/migrations/sql`. `{name}` in it is replaced by the value of that name.

    Waits up to ten minutes for its locks, two seconds at a time; raises `psycopg.errors.LockNotAvailable` after that.
    """
    statements = (SQL / name).read_text(encoding="utf-8")
    for key, value in replacements.items():
        statements = statements.replace("{" + key + "}", value)
    driver = _driver()
    # Without parameters the driver sends a whole file unchanged, percent signs included.
    _patiently(driver, lambda: driver.execute(statements), name=name)


def in_batches(table: str, key: str, statement: str, *, rows: int = BATCH_ROWS) -> int:
    """Run `statement` over the whole table, one range of its integer key at a time; return how many rows it changed.

    The statement compares the key with `%(low)s` (excluded) and `%(high)s` (included). Each range is committed on its
    own, as is everything that the migration did before: the statement, and all before it, must be harmless when an
    interrupted migration is run again.
    """
    changed = 0
    with op.get_context().autocommit_block():
        driver = _driver()
        following = sql.SQL(
            "SELECT max({key}) FROM (SELECT {key} FROM {table} WHERE {key} > %(low)s ORDER BY {key} LIMIT %(rows)s) "
            "AS following"
        ).format(key=sql.Identifier(key), table=sql.Identifier(table))
        low = -1
        while True:
            row = driver.execute(following, {"low": low, "rows": rows}).fetchone()
            if row is None or row[0] is None:
                return changed
            changed += _range(driver, statement, low, row[0])
            low = row[0]


def add_words_check(table: str, column: str, values: Sequence[str]) -> None:
    """Limit `column` to these words; the constraint is called `<table>_<column>_known`.

    Reading and writing go on: the constraint is added without a look at the existing rows, and these are then validated
    under a lock that blocks neither. Unknown words in existing rows stay allowed in this database, because a row that
    breaks a constraint could not be changed either, and a person's data must always be erasable. Each step is committed
    on its own, as is everything that the migration did before; it may be run again.
    """
    constraint = f"{table}_{column}_known"
    with op.get_context().autocommit_block():
        driver = _driver()
        _replace_check(driver, table, column, constraint, values)
        validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
            sql.Identifier(table), sql.Identifier(constraint)
        )
        try:
            driver.execute(validate)
        except psycopg.errors.CheckViolation:
            unknown = sql.SQL(
                "SELECT DISTINCT {column} FROM {table} WHERE {column} <> ALL (%s) ORDER BY 1"
            ).format(column=sql.Identifier(column), table=sql.Identifier(table))
            older = [row[0] for row in driver.execute(unknown, [list(values)])]
            log.warning("%s.%s holds %d words of older versions; they stay.", table, column, len(older))
            _replace_check(driver, table, column, constraint, [*values, *older])
            driver.execute(validate)


def _replace_check(
    driver: psycopg.Connection, table: str, column: str, constraint: str, values: Sequence[str]
) -> None:
    replace = sql.SQL(
        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}, "
        "ADD CONSTRAINT {constraint} CHECK ({column} IN ({values})) NOT VALID"
    ).format(
        table=sql.Identifier(table),
        constraint=sql.Identifier(constraint),
        column=sql.Identifier(column),
        values=sql.SQL(", ").join(map(sql.Literal, values)),
    )
    _patiently(driver, lambda: driver.execute(replace), name=constraint)


def add_columns(
    table: str, columns: Mapping[str, str], checks: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Add columns (name: type) to a large table, and limit them by `checks` (name of the constraint: condition).

    A CHECK that comes with its column would be compared with every row under a lock that lets nobody read. Here the
    column needs that lock for an instant only, and the constraint is validated under one that blocks nobody. Each step
    is committed on its own, as is everything that the migration did before; it may be run again.
    """
    with op.get_context().autocommit_block():
        driver = _driver()
        name = sql.Identifier(table)
        added = sql.SQL(", ").join(
            sql.SQL("ADD COLUMN IF NOT EXISTS {} {}").format(sql.Identifier(column), sql.SQL(type_))
            for column, type_ in columns.items()
        )
        steps = [added]
        for check, condition in checks.items():
            steps.append(sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(sql.Identifier(check)))
            constraint = sql.SQL("ADD CONSTRAINT {} CHECK ({}) NOT VALID")
            steps.append(constraint.format(sql.Identifier(check), sql.SQL(condition)))
        alter = sql.SQL("ALTER TABLE {} ").format(name) + sql.SQL(", ").join(steps)
        _patiently(driver, lambda: driver.execute(alter), name=f"{table}: new columns")
        for check in checks:
            validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}")
            driver.execute(validate.format(name, sql.Identifier(check)))


def create_indexes(indexes: Mapping[str, str]) -> None:
    """Create indexes (name: what follows it in `CREATE INDEX name`) while people search and write.

    An index that is valid is left as it is, one that an interrupted run left half made is made anew. Each is committed
    on its own, as is everything that the migration did before; it may be run again. PostgreSQL waits for the
    transactions that were open when an index was begun: an export can take an hour.
    """
    with op.get_context().autocommit_block():
        driver = _driver()
        for name, definition in indexes.items():
            valid = "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid"
            if driver.execute(valid, (name,)).rowcount:
                continue
            driver.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))
            create = sql.SQL("CREATE INDEX CONCURRENTLY {} {}")
            driver.execute(create.format(sql.Identifier(name), sql.SQL(definition)))


def unicode_collation() -> str:
    """The collation under which letter case follows Unicode, independent of the server's locale.

    The built-in one from PostgreSQL 17 on, ICU's before. Raises `RuntimeError` when the server has neither.
    """
    for name in ("pg_c_utf8", "und-x-icu"):
        if _driver().execute("SELECT FROM pg_collation WHERE collname = %s", (name,)).rowcount:
            return f'pg_catalog."{name}"'
    raise RuntimeError(
        "The server has neither the collation pg_c_utf8 nor ICU; PostgreSQL >= 15 with ICU is needed."
    )


def _range(driver: psycopg.Connection, statement: str, low: int, high: int) -> int:
    return _patiently(driver, lambda: driver.execute(statement, {"low": low, "high": high})).rowcount


def _patiently(
    driver: psycopg.Connection, execute: Callable[[], psycopg.Cursor], *, name: str | None = None
) -> psycopg.Cursor:
    """Repeat `execute` until it gets its locks within two seconds; return its result.

    `name` is what the log calls the waiting step. Raises the last error after 300 attempts.
    """
    for attempt in range(_TRIES):
        try:
            # The driver's own transaction block inside Alembic's transaction is a savepoint.
            with driver.transaction():
                driver.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                return execute()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if attempt == _TRIES - 1:
                raise
            if name is not None:
                log.warning("%s waits for others to finish.", name)
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _driver() -> psycopg.Connection:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - for the type checker
    return driver
