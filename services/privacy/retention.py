"""Retention: remove data when the time for which it is stored has passed."""

from typing import Final

from sqlalchemy import Connection, text

# The rule's days are counted from an order's creation. Not paid orders keep theirs without limit.
_STEPS: Final = {
    "Orders whose additional parameters were removed": """
        WITH due AS (
            SELECT order_id FROM orders
            WHERE additional_parameters <> '[]' AND (
                status = 'paid' AND created_at < now() - interval '1 year'
                OR status IN ('deleted', 'terminated') AND created_at < now() - interval '120 days')
            -- By rising ID, as everybody locks them; those that somebody holds have their turn the next time.
            ORDER BY order_id FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE orders SET additional_parameters = '[]' FROM due WHERE orders.order_id = due.order_id""",
    # Kept for a month after their end, for those who look into what happened.
    "Old sessions removed": """
        DELETE FROM account_session WHERE coalesce(ended_at, expires_at) < now() - interval '30 days'
            OR expires_at < now() - interval '30 days'""",
    "Expired links to set a password removed": """
        DELETE FROM password_reset WHERE expires_at < now() - interval '7 days'""",
    "Old attempts to sign in removed": """
        DELETE FROM sign_in_attempt WHERE begun_at < now() - interval '1 day'""",
    "Browsers that nobody signed in with for three months forgotten": """
        DELETE FROM known_device WHERE last_used_at < now() - interval '90 days'""",
    "Used answers of a single sign-on removed": """
        DELETE FROM single_sign_on_use WHERE used_at < now() - interval '1 day'""",
    "Saved searches removed that nobody opened for a year": """
        DELETE FROM saved_search WHERE last_opened_at < now() - interval '1 year'""",
    # What a server that died was sending; nobody else touches such a row again.
    "Exports that broke off marked as failed": """
        UPDATE export_run SET state = 'failed', finished_at = now()
        WHERE state = 'running' AND touched_at < now() - interval '1 hour'""",
    "Old records of how far exports were removed": """
        DELETE FROM export_run WHERE finished_at < now() - interval '7 days'""",
    # Its orders' histories and the audit log have what was done; the list of results is for those who look after it.
    "Old runs over many orders removed": """
        DELETE FROM bulk_run WHERE finished_at < now() - interval '30 days'""",
    # What became of a message is shown for a month; the database of a shop has the orders themselves.
    "Old messages of shops removed": """
        DELETE FROM inbox WHERE state <> 'waiting' AND received_at < now() - interval '30 days'""",
    # What nobody has to deliver, to answer or to read any longer; deliveries go with their event. Without one, an event
    # is for a shop's database, which may take its time to acknowledge it.
    "Old events of connections removed": """
        DELETE FROM outbox_event e
        WHERE e.created_at < now() - interval '30 days'
            AND NOT EXISTS (SELECT FROM delivery d WHERE d.event_id = e.id
                AND (d.state = 'waiting' OR d.settled_at >= now() - interval '30 days'))
            AND NOT EXISTS (SELECT FROM awaited_action a WHERE a.id = e.action_id AND a.state IN ('recorded', 'sent'))
            AND (e.acknowledged_at < now() - interval '30 days' OR e.created_at < now() - interval '1 year'
                OR EXISTS (SELECT FROM delivery d WHERE d.event_id = e.id))""",
    "Used request keys removed": "DELETE FROM action_key WHERE at < now() - interval '7 days'",
}


def apply_retention(connection: Connection) -> dict[str, int]:
    """Run every step once and return the number of rows that each changed; a second run changes none.

    `connection` is a transaction of the jobs' role.
    """
    return {label: connection.execute(text(statement)).rowcount for label, statement in _STEPS.items()}
