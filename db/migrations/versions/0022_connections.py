"""Connections to shops, payment providers and help desks; what comes in and what goes out."""

from db.migrations.support import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql("0022_connections.sql")
    run_sql("0022_erasing.sql")
