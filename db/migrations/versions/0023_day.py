"""The working day: filters, the customer's page, many at once, refunds in parts, views."""

from db.migrations.support import add_words_check, run_sql

revision = "0023"
down_revision = "0022"

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
    *("create connection", "change connection", "change connection secret", "delete connection"),
    *("switch connection on", "switch connection off", "test connection", "open message", "replay messages"),
    "stop waiting",
    "help desk look-up",
    "action answered",
    "replay deliveries",
    # New ones.
    *("start bulk run", "stop bulk run"),
    *("save view", "change view", "delete view"),
)
MAIL_KINDS = (
    *("licence", "refund", "account", "password_reset", "password", "credentials", "connection", "action"),
    # New ones.
)


def upgrade() -> None:
    # First, since it commits what comes before it.
    for table in ("audit_log", "action_key"):
        add_words_check(table, "action", ACTIONS)
    add_words_check("mail", "kind", MAIL_KINDS)
    run_sql("0023_bulk.sql")
    run_sql("0023_views.sql")
