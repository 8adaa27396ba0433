"""The words of the audit log, named in the database as well."""

import logging

from alembic import op
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.migrations.support import run_sql

revision = "0020"
down_revision = "0019"

log = logging.getLogger("esupport.migrate")

# As they were when this migration was written; a later word comes with a migration of its own.
ACTIONS = (
    *("sign in", "sign out", "end session", "change password", "forgot password", "second factor on"),
    *("second factor off", "use recovery code", "repeat code", "bind single sign-on", "add note"),
    *("cancel subscription", "resume subscription", "correct e-mail", "resend licence", "document download"),
    *("export", "request refund", "take refund", "release refund", "fulfil refund", "refuse refund"),
    *("fail refund", "create account", "change account", "import accounts", "disable account"),
    *("enable account", "unlock account", "end sessions", "reset password", "require second factor"),
    *("reset second factor", "unlink single sign-on", "create team", "change team", "delete team"),
    *("change checkout page", "export audit log", "erase personal data", "open mail", "send mail again"),
)


def upgrade() -> None:
    run_sql("0020_audit_actions.sql", actions=", ".join(f"'{action}'" for action in ACTIONS))
    for table in ("audit_log", "action_key"):
        _validate(table)


def _validate(table: str) -> None:
    """Reads the table under a lock that lets everybody read and write. Rows with other words stay as they are."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_action_known"))
    except IntegrityError as error:
        if not isinstance(error.orig, errors.CheckViolation):
            raise
        log.warning("%s has rows with actions that this version does not know; they stay.", table)
