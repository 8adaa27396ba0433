"""Sign-in under attack."""

from db.migrations.support import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql("0017_signing_in.sql")
    run_sql("0017_attempts.sql")
    run_sql("0017_own_credentials.sql")
