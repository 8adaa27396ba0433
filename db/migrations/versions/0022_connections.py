"""Connections to shops, payment providers and help desks; what comes in and what goes out."""

from db.migrations.support import add_columns, add_words_check, run_sql

revision = "0022"
down_revision = "0021"

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
    # New ones.
    *("create connection", "change connection", "change connection secret", "delete connection"),
    *("switch connection on", "switch connection off", "test connection", "open message", "replay messages"),
    "stop waiting",
    "help desk look-up",
    "action answered",
    "replay deliveries",
)
MAIL_KINDS = (
    *("licence", "refund", "account", "password_reset", "password", "credentials", "connection"),
    "action",
)


def upgrade() -> None:
    # First, since it commits what comes before it.
    for table in ("audit_log", "action_key"):
        add_words_check(table, "action", ACTIONS)
    add_words_check("mail", "kind", MAIL_KINDS)
    # The time of the document that said last what an item is, and whether it was about this item alone.
    add_columns("order_item", {"said_at": "timestamptz", "said_alone": "boolean NOT NULL DEFAULT false"})
    # What a payment was made with, when the provider can be asked about it.
    add_columns(
        "orders",
        {"payment_provider": "text", "payment_reference": "text"},
        {
            "orders_payment_provider_check": "length(payment_provider) BETWEEN 1 AND 64",
            "orders_payment_reference_check": "length(payment_reference) BETWEEN 1 AND 300",
        },
    )
    run_sql("0022_connections.sql")
    run_sql("0022_erasing.sql")
    run_sql("0022_api.sql")
    run_sql("0022_administering.sql")
    run_sql("0022_help_desk.sql")
