-- What an import locks before it merges anything; services/importing/locks.py runs the parts one by one.

-- name: keys
-- Orders as they are, subscriptions as negative numbers with their store and ID.
CREATE TEMP TABLE IF NOT EXISTS import_key (key bigint NOT NULL, store text, subscription_id text) ON COMMIT DROP;
TRUNCATE import_key;

-- name: claims
-- Whoever inserts a key waits for the transaction that has it, and has it then. It is an update where a row was left
-- over, because a conflict that does nothing takes no lock.
ANALYZE import_key;
INSERT INTO import_claim (key) SELECT DISTINCT key FROM import_key ORDER BY key
ON CONFLICT (key) DO UPDATE SET key = excluded.key;

-- name: orders
-- A statement of its own, so that it sees what was committed while the claims were waited for.
SELECT count(*) FROM (
    SELECT FROM orders o
    WHERE o.order_id IN (
        SELECT key FROM import_key WHERE key > 0
        UNION
        SELECT b.order_id FROM import_key k JOIN checkout_page p ON p.name = k.store
            JOIN subscription b ON b.checkout_page_id = p.id AND b.subscription_id = k.subscription_id
    )
    ORDER BY o.order_id
    FOR UPDATE
) locked;

-- name: release
DELETE FROM import_claim WHERE key IN (SELECT key FROM import_key);
