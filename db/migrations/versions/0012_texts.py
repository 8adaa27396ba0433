"""One definition of a text: edges, search keys, digits, domains. Order names and 1C numbers are found as shown."""

from alembic import op

from db.migrations.support import in_batches, run_sql, unicode_collation

revision = "0012"
down_revision = "0011"

# Rows whose keys are the same as before stay as they are. A generated column follows when what it is made from is set.
_ORDERS = """
UPDATE orders SET email = email, first_name = first_name, last_name = last_name, company_name = company_name,
    vat_number = vat_number, phone = phone
WHERE order_id > %(low)s AND order_id <= %(high)s
    AND (email_key IS DISTINCT FROM email_key(email) OR first_name_key IS DISTINCT FROM fold(first_name)
        OR last_name_key IS DISTINCT FROM fold(last_name) OR company_key IS DISTINCT FROM fold(company_name)
        OR vat_key IS DISTINCT FROM fold(vat_number) OR phone_key IS DISTINCT FROM digits(phone))
"""
_CODES = """
UPDATE activation_code SET code = code
WHERE id > %(low)s AND id <= %(high)s AND code_key IS DISTINCT FROM fold(code)
"""
# CONCURRENTLY: people go on working; an index that an interrupted run left half made is made anew.
_INDEXES = {
    "orders_other_name": "ON orders (fold(order_name)) WHERE is_other_label(order_name, order_id)",
    "orders_1c_label": "ON orders (fold(order_id_1c)) WHERE order_id_1c IS NOT NULL",
    "orders_1c_number": "ON orders (fold(order_id_1c)) WHERE is_plain_number(order_id_1c)",
    "order_item_license_key": "ON order_item (email_key(license_email)) WHERE license_email IS NOT NULL",
}


def upgrade() -> None:
    run_sql("0012_texts.sql", collation=unicode_collation())
    run_sql("0012_text_columns.sql")
    in_batches("orders", "order_id", _ORDERS)
    in_batches("activation_code", "id", _CODES)
    with op.get_context().autocommit_block():
        for name, definition in _INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} {definition}")
        # By the key of a text, not of an e-mail: nothing asks for it any more.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS order_item_license_email")
