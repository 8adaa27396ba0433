"""The whole first schema: text functions, accounts, orders, actions, triggers, scope, doors."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    connection = op.get_bind()
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise RuntimeError(f"The database must be encoded in UTF8; this one is {encoding}.")
    connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # Letter case follows Unicode whatever the server's locale: the built-in provider from 17 on, ICU before.
    wanted = ('"pg_c_utf8"', "pg_c_utf8") if _has_collation("pg_c_utf8") else ('"und-x-icu"', "und-x-icu")
    if not _has_collation(wanted[1]):
        raise RuntimeError(
            "The server has neither the collation pg_c_utf8 nor ICU; PostgreSQL >= 15 with ICU is needed."
        )
    text_functions = (SQL / "0001_text.sql").read_text().replace("{collation}", f"pg_catalog.{wanted[0]}")
    # The driver's own connection: with no parameters it sends a whole file as it stands, percent signs included.
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker; the connection above has just answered
    driver.execute(text_functions)
    for part in ("accounts", "orders", "actions", "triggers", "scope", "doors"):
        driver.execute((SQL / f"0001_{part}.sql").read_text())


def _has_collation(name: str) -> bool:
    return bool(
        op.get_bind().exec_driver_sql("SELECT 1 FROM pg_collation WHERE collname = %s", (name,)).scalar()
    )
