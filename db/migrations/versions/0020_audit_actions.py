"""The words of the audit log, named in the database as well."""

from db.migrations.support import add_words_check

revision = "0020"
down_revision = "0019"

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
    for table in ("audit_log", "action_key"):
        add_words_check(table, "action", ACTIONS)
