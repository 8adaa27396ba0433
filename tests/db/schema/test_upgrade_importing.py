"""Orders, lines and renewals that version 0.1.0 accepted are kept by the upgrade and can still be changed."""

from collections.abc import Iterator

import psycopg
import pytest

from db.connections.roles import libpq_url
from db.schema.migrate import migrate
from tests.db.schema.old_databases import VERSION_0_1_0, old_database

OLD = """
INSERT INTO checkout_page (name) VALUES ('demo-eu');
INSERT INTO orders (order_id, checkout_page_id, order_name, status, created_at, paid_at, currency, total, detail_url)
SELECT n, 1, 'A' || n, 'paid', now(), now(), 'EUR', 0, 'https://shop@evil/' FROM generate_series(1, 4) n;
INSERT INTO order_item (order_id, position, checkout_page_id, item_id, name, price, quantity, amount)
SELECT n, 1, 1, '1', 'Antivirus', 0, 1, 0 FROM generate_series(1, 4) n;
INSERT INTO subscription (order_id, position, checkout_page_id, subscription_id, type, status, next_renewal_at)
VALUES (1, 1, 1, 'S', 'AR', 'active', '9999-12-31 23:59:59-12'), (2, 1, 1, 'S', 'AR', 'active', 'infinity'),
    (3, 1, 1, 'S', 'AR', 'active', '0044-03-15 BC'), (4, 1, 1, 'S', 'AR', 'active', '2027-01-01 00:00+00');
"""


@pytest.fixture
def old(server_url: str) -> Iterator[str]:
    with old_database(server_url, VERSION_0_1_0) as url:
        yield url


def test_existing_rows_stay_and_can_be_changed(old: str) -> None:
    with psycopg.connect(libpq_url(old), autocommit=True) as connection:
        connection.execute(OLD)
        assert "0016" in migrate(old)
        connection.execute("SET timezone = 'Pacific/Kiritimati'")
        times = connection.execute("SELECT next_renewal_at FROM subscription ORDER BY order_id").fetchall()
        assert [None if at is None else at.year for (at,) in times] == [9999, 9999, None, 2027]
        assert connection.execute("SELECT DISTINCT item_id FROM order_item").fetchall() == [("1",)]
        # An order with an address that version 0.1.0 accepted can be changed; a new one like it is refused.
        connection.execute("UPDATE orders SET status = 'deleted' WHERE order_id = 1")
        connection.execute("UPDATE order_item SET amount = -1, price = -1 WHERE order_id = 1")
        for wrong in (
            "UPDATE orders SET detail_url = 'https://shop@evil.example/' WHERE order_id = 1",
            "UPDATE order_item SET price = -1 WHERE order_id = 2",
            "UPDATE subscription SET next_renewal_at = 'infinity' WHERE order_id = 4",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(wrong)
        unchecked = connection.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated").fetchall()
        assert [name for (name,) in unchecked if "below_zero" in name or "renewal" in name] == []


def test_a_renewal_that_contradicts_the_portal_gets_the_portals_status(old: str) -> None:
    with psycopg.connect(libpq_url(old), autocommit=True) as connection:
        connection.execute(OLD)
        # S was cancelled here after all documents; T has had a document since.
        connection.execute(
            "UPDATE subscription SET subscription_id = CASE WHEN order_id < 3 THEN 'S' ELSE 'T' END, "
            "next_renewal_at = NULL;"
            "UPDATE subscription SET status = 'cancelled', changed_at = now() + interval '1 hour', changed_by = 'Anna' "
            "WHERE order_id IN (1, 3);"
            "UPDATE orders SET source_updated_at = now() + interval '2 hours' WHERE order_id = 4"
        )
        migrate(old)
        rows = connection.execute(
            "SELECT s.order_id, s.status, s.said_status, o.active_subscription FROM subscription s "
            "JOIN orders o USING (order_id) ORDER BY 1"
        ).fetchall()
    assert rows == [
        (1, "cancelled", None, False),
        (2, "cancelled", "active", False),
        (3, "cancelled", None, False),
        (4, "active", None, True),
    ]
