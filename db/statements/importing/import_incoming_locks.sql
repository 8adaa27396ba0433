-- The same locks as those of a file (import_locks.sql), for a few documents: no temporary table.

-- name: claims
INSERT INTO import_claim (key) SELECT DISTINCT k FROM unnest(%(keys)s::bigint[]) k ORDER BY k
ON CONFLICT (key) DO UPDATE SET key = excluded.key;

-- name: orders
-- A statement of its own, so that it sees what was committed while the claims were waited for.
SELECT count(*) FROM (
    SELECT FROM orders o
    WHERE o.order_id IN (
        SELECT unnest(%(order_ids)s::bigint[])
        UNION
        SELECT b.order_id FROM unnest(%(stores)s::text[], %(subscription_ids)s::text[]) s(store, subscription_id)
            JOIN checkout_page p ON p.name = s.store
            JOIN subscription b ON b.checkout_page_id = p.id AND b.subscription_id = s.subscription_id
    )
    ORDER BY o.order_id
    FOR UPDATE
) locked;

-- name: release
DELETE FROM import_claim WHERE key = ANY (%(keys)s::bigint[]);
