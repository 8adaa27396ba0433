"""The statement that puts a message into the inbox: one round trip to the database, and its own transaction."""

from typing import Final

from sqlalchemy import text

# `is_current`: whether the connection is still what the message was verified with. Nothing is written otherwise.
# `is_new`: whether no message with this ID was there. What is noted for people is never waited for: a hundred messages
# at once share the connection's row.
STORE_MESSAGE: Final = text("""
WITH sender AS MATERIALIZED (
    SELECT c.id
    FROM connection c
    JOIN checkout_page p ON p.id = c.checkout_page_id
    WHERE c.id = :connection_id AND c.key = :key AND c.kind = :kind AND c.rate_per_minute = :rate_per_minute
        AND p.id = :store_id AND p.name = :store AND c.switched_off_at IS NULL
        AND ARRAY(
            SELECT s.secret
            FROM connection_secret s
            WHERE s.connection_id = c.id AND s.purpose = 'in' AND (s.valid_until IS NULL OR s.valid_until > now())
            ORDER BY s.id DESC
        ) = CAST(:secrets AS text[])
), added AS (
    INSERT INTO inbox
        (connection_id, event_id, type, order_id, occurred_at, body, state, settled_at, field, reason)
    SELECT sender.id, :event_id, :type, CAST(:order_id AS bigint), CAST(:occurred_at AS timestamptz),
        -- The text of a message that is not carried out must not bring a deleted person back.
        CASE WHEN :state = 'waiting' OR NOT holds_erased(CAST(:order_id AS bigint)) THEN CAST(:body AS bytea) END,
        :state, CASE WHEN :state <> 'waiting' THEN now() END, :field, :reason
    FROM sender
    ON CONFLICT DO NOTHING
    RETURNING id
), noted AS (
    UPDATE connection SET last_received_at = now()
    WHERE :is_noted
        AND id IN (SELECT c.id FROM connection c WHERE c.id IN (SELECT id FROM sender) FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT EXISTS (SELECT FROM sender) AS is_current, EXISTS (SELECT FROM added) AS is_new
""")
