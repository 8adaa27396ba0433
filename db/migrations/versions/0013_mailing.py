"""What can be mailed, and what the mail server was found to offer."""

from db.migrations.support import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql("0013_mailing.sql")
