"""Many orders, quickly: made inside the database from a series, so that the benchmark measures searching them."""

from sqlalchemy import Connection, text

STORES = ("bench-large", "bench-middle", "bench-small")

# One order in a hundred is of the middle store, one in ten thousand of the small one. Names repeat as names do.
_ORDERS = """
INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total, email,
    first_name, last_name, phone, company_name, card_last_4, payment_method, delivered)
SELECT n, (SELECT id FROM checkout_page WHERE name = CASE WHEN n % 10000 = 7 THEN 'bench-small'
        WHEN n % 100 = 3 THEN 'bench-middle' ELSE 'bench-large' END),
    'A' || lpad(n::text, 10, '0'),
    CASE WHEN n % 500 = 0 THEN 'terminated' WHEN n % 20 = 0 THEN 'deleted' WHEN n % 5 = 0 THEN 'not paid'
        ELSE 'paid' END,
    timestamptz '2025-11-01' + n * interval '31 seconds',
    CASE WHEN n % 5 <> 0 THEN timestamptz '2025-11-01' + n * interval '31 seconds' + interval '2 minutes' END,
    'EUR', (n % 300) + 0.99, 'customer' || n % 400000 || '@example.com',
    (ARRAY['Anna', 'Boris', 'Élodie', 'Jürgen', 'Μαρία', 'Юрий'])[1 + n % 6], 'Family' || n % 5000,
    '+49 30 ' || lpad((n % 700000)::text, 7, '0'), CASE WHEN n % 7 = 0 THEN 'Company ' || n % 20000 END,
    CASE WHEN n % 5 <> 0 THEN lpad((n % 10000)::text, 4, '0') END, 'card', n % 3 <> 0
FROM generate_series(1, :number) n
"""
_ITEMS = """
INSERT INTO order_item (order_id, position, checkout_page_id, item_id, name, price, quantity, amount, delivered)
SELECT order_id, 1, checkout_page_id, '1', 'Antivirus, 3 devices', total, 1, total, delivered FROM orders
"""
_CODES = """
INSERT INTO activation_code (order_id, position, number, checkout_page_id, code)
SELECT order_id, 1, 1, checkout_page_id, upper(substr(md5(order_id::text), 1, 4) || '-' ||
    substr(md5(order_id::text), 5, 4) || '-' || substr(md5(order_id::text), 9, 4)) FROM orders WHERE status = 'paid'
"""


def fill(connection: Connection, number: int) -> None:
    """Makes `number` orders in three stores, each with an item and, when paid, a code."""
    for store in STORES:
        connection.execute(text("INSERT INTO checkout_page (name) VALUES (:name)"), {"name": store})
    for statement in (_ORDERS, _ITEMS, _CODES):
        connection.execute(text(statement), {"number": number} if ":number" in statement else {})
    for name, all_stores in (("all", True), ("small", False), ("two stores", False)):
        connection.execute(
            text(
                "INSERT INTO account (email, name, role, all_stores, password_hash) "
                "VALUES (replace(:name, ' ', '-') || '@bench.example', :name, 'specialist', :all_stores, '-')"
            ),
            {"name": name, "all_stores": all_stores},
        )
    connection.execute(
        text(
            "INSERT INTO account_page SELECT a.id, p.id FROM account a, checkout_page p "
            "WHERE a.name = 'small' AND p.name = 'bench-small' "
            "OR a.name = 'two stores' AND p.name IN ('bench-large', 'bench-middle')"
        )
    )
