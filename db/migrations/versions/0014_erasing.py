"""Erasure that holds: what a person had before, and what was emptied."""

from db.migrations.support import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql("0014_erasing.sql")
