"""Write rights of the app's role, and the tables that actions on orders need."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker
    driver.execute((SQL / "0002_acting.sql").read_text())
