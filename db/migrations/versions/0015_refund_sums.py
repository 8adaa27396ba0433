"""The sums of refunds."""

from db.migrations.support import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql("0015_refund_sums.sql")
