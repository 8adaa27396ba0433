"""The working day: filters, the customer's page, many at once, refunds in parts, views."""

from db.migrations.support import add_columns, add_words_check, run_sql

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
    *(
        "approve refund",
        "send back refund",
        "withdraw refund",
        "create refund reason",
        "change refund reason",
    ),
    *("start bulk run", "stop bulk run"),
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
    _add_refund_columns()
    run_sql("0023_bulk.sql")
    run_sql("0023_refunds.sql")


def _add_refund_columns() -> None:
    """Refunds in parts, reasons, four eyes, a second approval."""
    add_columns(
        "refund_request",
        {
            "reason_id": "integer",
            # What the requester asks for, and what the first operator decided while it waits for the second one.
            "proposal": "jsonb",
            "decision": "jsonb",
            "decided_by": "integer",
            "decided_by_name": "text",
            "decided_at": "timestamptz",
            "approved_by": "integer",
            "approved_by_name": "text",
            "approved_at": "timestamptz",
            "sent_back_by_name": "text",
        },
        {
            "refund_request_proposal_check": "jsonb_typeof(proposal) = 'array'",
            "refund_request_decision_check": "jsonb_typeof(decision) = 'object'",
            "refund_request_decided_check": "num_nulls(decision, decided_by_name, decided_at) IN (0, 3)",
            "refund_request_approved_check": "num_nulls(approved_by_name, approved_at) IN (0, 2) "
            "AND (approved_by_name IS NULL OR decision IS NOT NULL)",
        },
    )
    # Whether this refund settled the line; until now refunds were always of whole lines.
    add_columns("refund_request_item", {"is_whole": "boolean NOT NULL DEFAULT true"})
    add_columns(
        "checkout_page",
        {"refund_four_eyes": "boolean NOT NULL DEFAULT false", "refund_approval_limits": "jsonb"},
        {"checkout_page_limits_check": "jsonb_typeof(refund_approval_limits) = 'object'"},
    )
