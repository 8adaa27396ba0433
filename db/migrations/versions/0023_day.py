"""The working day: filters, the customer's page, many at once, refunds in parts, views."""

from db.migrations.support import add_columns, add_words_check, create_indexes, in_batches, run_sql

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
    *("cancel order", "reissue licence", "export personal data"),
    *(
        "approve refund",
        "send back refund",
        "withdraw refund",
        "create refund reason",
        "change refund reason",
    ),
    *("change mail text", "reset mail text"),
    *("start bulk run", "stop bulk run"),
    *("save view", "change view", "delete view"),
)
MAIL_KINDS = (
    *("licence", "refund", "account", "password_reset", "password", "credentials", "connection", "action"),
    # New ones.
    *("customer_refund", "refund_digest"),
)

# The keys of rows that were there before the triggers.
_ORDER_KEYS = """
UPDATE orders SET payment_method_key = filter_key(payment_method), country_key = filter_key(country),
    total_key = amount_key(total)
WHERE order_id > %(low)s AND order_id <= %(high)s AND total_key IS NULL
"""
_ITEM_KEYS = """
UPDATE order_item SET name_key = filter_key(name), product_key = filter_key(product_id), sku_key = filter_key(sku)
WHERE order_id > %(low)s AND order_id <= %(high)s AND (name_key IS DISTINCT FROM filter_key(name)
    OR product_key IS DISTINCT FROM filter_key(product_id) OR sku_key IS DISTINCT FROM filter_key(sku))
"""
_REASON_KEYS = """
UPDATE refund_request SET reason_key = filter_key(reason)
WHERE id > %(low)s AND id <= %(high)s AND reason_key IS DISTINCT FROM filter_key(reason)
"""
_FILTER_INDEXES = {
    "orders_payment_method": "ON orders (checkout_page_id, payment_method_key, created_at DESC, order_id DESC) "
    "WHERE payment_method_key IS NOT NULL",
    "orders_country": "ON orders (checkout_page_id, country_key, created_at DESC, order_id DESC) "
    "WHERE country_key IS NOT NULL",
    # The total comes last: totals are compared within the index, in the order in which results are read.
    "orders_currency": "ON orders (checkout_page_id, currency, created_at DESC, order_id DESC, total_key)",
    "order_item_name": "ON order_item (checkout_page_id, name_key) WHERE name_key IS NOT NULL",
    "order_item_product": "ON order_item (checkout_page_id, product_key) WHERE product_key IS NOT NULL",
    "order_item_sku": "ON order_item (checkout_page_id, sku_key) WHERE sku_key IS NOT NULL",
    "refund_request_reason": "ON refund_request (checkout_page_id, reason_key) WHERE reason_key IS NOT NULL",
    "refund_request_listed_reason": "ON refund_request (checkout_page_id, reason_id) WHERE reason_id IS NOT NULL",
}


def upgrade() -> None:
    # First, since it commits what comes before it.
    for table in ("audit_log", "action_key"):
        add_words_check(table, "action", ACTIONS)
    add_words_check("mail", "kind", MAIL_KINDS)
    # What commits in between comes before the files below, which run once.
    _add_refund_columns()
    add_columns("orders", {"cancelled_at": "timestamptz"})
    add_columns("activation_code", {"issued_at": "timestamptz", "replaced_at": "timestamptz"})
    _filters()
    run_sql("0023_customer.sql")
    run_sql("0023_telling.sql")
    run_sql("0023_bulk.sql")
    run_sql("0023_refunds.sql")
    run_sql("0023_views.sql")
    run_sql("0023_connections.sql")


def _filters() -> None:
    """What more filters compare with, and their indexes."""
    add_columns("orders", {"payment_method_key": "text", "country_key": "text", "total_key": "bigint"})
    add_columns("order_item", {"name_key": "text", "product_key": "text", "sku_key": "text"})
    add_columns("refund_request", {"reason_key": "text"})
    run_sql("0023_filters.sql")
    in_batches("orders", "order_id", _ORDER_KEYS)
    in_batches("order_item", "order_id", _ITEM_KEYS)
    in_batches("refund_request", "id", _REASON_KEYS)
    create_indexes(_FILTER_INDEXES)


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
