"""Why a session ended, told to whoever holds its token."""

from db.migrations.support import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql("0019_ended_sessions.sql")
