"""The kinds of messages, named in the database as well."""

import logging

from alembic import op
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.migrations.support import run_sql

revision = "0021"
down_revision = "0020"

log = logging.getLogger("esupport.migrate")

# As they were when this migration was written; a later kind comes with a migration of its own.
KINDS = ("licence", "refund", "account", "password_reset", "password", "credentials")


def upgrade() -> None:
    run_sql("0021_mail_kinds.sql", kinds=", ".join(f"'{kind}'" for kind in KINDS))
    connection = op.get_bind()
    try:
        # Reads the table under a lock that lets everybody read and write.
        with connection.begin_nested():
            connection.execute(text("ALTER TABLE mail VALIDATE CONSTRAINT mail_kind_known"))
    except IntegrityError as error:
        if not isinstance(error.orig, errors.CheckViolation):
            raise
        log.warning("mail has rows of kinds that this version does not know; they stay.")
