"""What shops export: returns, coupons, items without IDs."""

from db.migrations.support import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql("0016_importing.sql")
