"""Rows of the tables of connections, for tests of who reads them."""

from tests.support import factories


def make_connections() -> None:
    """A connection of each store, with a secret, a message that came in, an event on its way and an action."""
    for statement in (
        (
            "INSERT INTO connection (checkout_page_id, kind, name, key) "
            "SELECT id, 'webhooks', 'The shop ' || name, 'c_' || lpad(id::text, 22, '0') FROM checkout_page"
        ),
        (
            "INSERT INTO connection_secret (connection_id, purpose, secret) "
            "SELECT id, 'in', 'whsec_' || id FROM connection"
        ),
        (
            "INSERT INTO inbox (connection_id, event_id, type, body) "
            "SELECT id, 'msg', 'order.upserted', '{}' FROM connection"
        ),
        (
            "INSERT INTO outbox_event (id, type, action_id, order_id, checkout_page_id, data) "
            "SELECT gen_random_uuid(), 'refund.requested', gen_random_uuid(), order_id, checkout_page_id, '{}' "
            "FROM orders"
        ),
        (
            "INSERT INTO delivery (event_id, connection_id, order_id, seq) SELECT e.id, c.id, e.order_id, e.seq "
            "FROM outbox_event e JOIN connection c USING (checkout_page_id)"
        ),
        (
            "INSERT INTO awaited_action (id, connection_id, order_id, checkout_page_id, kind, subject, wish, "
            "account_name, account_email) SELECT gen_random_uuid(), c.id, o.order_id, o.checkout_page_id, "
            "'cancel subscription', '1', '{}', 'x', 'y' FROM orders o JOIN connection c USING (checkout_page_id)"
        ),
        (
            "INSERT INTO refund_reservation (action_id, checkout_page_id, currency, amount) "
            "SELECT gen_random_uuid(), id, 'EUR', 1 FROM checkout_page"
        ),
    ):
        factories.run(statement)
