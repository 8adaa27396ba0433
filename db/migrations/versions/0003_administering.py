"""Administration, the life cycle of accounts, and the deletion of personal data."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker
    driver.execute((SQL / "0003_administering.sql").read_text())
