"""Addresses that can be mailed, and the capabilities of the mail server."""

from db.migrations.support import in_batches, run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # First, for it is committed by itself. Messages that an earlier erasure stopped say why.
    in_batches(
        "mail",
        "id",
        "UPDATE mail SET last_error = 'Taken back: the customer''s data was deleted.' WHERE id > %(low)s "
        "AND id <= %(high)s AND state = 'failed' AND to_address IS NULL AND last_error IS NULL",
    )
    run_sql("0013_mailing.sql")
