"""Looking up codes, and searches that would walk over everything."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0008"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker
    driver.execute((SQL / "0010_searching.sql").read_text())
