-- One word for each subscription of the batch, whichever of its orders it came with (decision 018): the shop's, which is
-- that of its latest document, or the portal's, unless the shop's is dated after it. All locks are held.

TRUNCATE stage_word;
INSERT INTO stage_word (checkout_page_id, subscription_id, status, changed_at, changed_by, change_reason, shop_status,
    shop_at, shop_order_id, portal_status)
WITH member AS (
    SELECT b.*, coalesce(b.said_status, b.status) AS said,
        coalesce(o.source_updated_at, greatest(o.created_at, o.paid_at)) AS said_at, o.imported_at
    FROM (SELECT DISTINCT checkout_page_id, subscription_id FROM stage_subscription) t
    JOIN subscription b USING (checkout_page_id, subscription_id)
    JOIN orders o ON o.order_id = b.order_id
), shop AS (
    -- Of two documents of one moment the more cautious counts, so that the order in which they come does not.
    SELECT DISTINCT ON (checkout_page_id, subscription_id) checkout_page_id, subscription_id, said, order_id,
        -- A document cannot have been written after it came.
        least(said_at, imported_at) AS said_at
    FROM member
    ORDER BY checkout_page_id, subscription_id, member.said_at DESC,
        array_position(ARRAY['cancelled', 'not paid', 'active'], said), order_id
), portal AS (
    SELECT DISTINCT ON (checkout_page_id, subscription_id) checkout_page_id, subscription_id, status, changed_at,
        changed_by, change_reason
    FROM member WHERE changed_at IS NOT NULL
    ORDER BY checkout_page_id, subscription_id, changed_at DESC, order_id
), judged AS (
    SELECT s.*, p.status AS portal_status, p.changed_at, p.changed_by, p.change_reason,
        p.changed_at IS NOT NULL AND (p.status = s.said OR p.changed_at >= s.said_at) AS is_portals
    FROM shop s LEFT JOIN portal p USING (checkout_page_id, subscription_id)
)
SELECT checkout_page_id, subscription_id, CASE WHEN is_portals THEN portal_status ELSE said END,
    CASE WHEN is_portals THEN changed_at END, CASE WHEN is_portals THEN changed_by END,
    CASE WHEN is_portals THEN change_reason END, said, said_at, order_id, CASE WHEN NOT is_portals THEN portal_status END
FROM judged;

UPDATE subscription b
SET said_status = coalesce(b.said_status, b.status), status = w.status, changed_at = w.changed_at,
    changed_by = w.changed_by, change_reason = w.change_reason
FROM stage_word w
WHERE w.checkout_page_id = b.checkout_page_id AND w.subscription_id = b.subscription_id
    AND (b.status, b.changed_at, b.changed_by, b.change_reason)
        IS DISTINCT FROM (w.status, w.changed_at, w.changed_by, w.change_reason);

-- Where the shop's word has set the portal's aside, and renewal is on now that was off, or the other way round.
INSERT INTO subscription_event (checkout_page_id, subscription_id, action, from_status, to_status, order_id, changed_by,
    reason)
SELECT checkout_page_id, subscription_id, 'document', portal_status, shop_status, shop_order_id, 'the shop',
    'Document of ' || to_char(shop_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
FROM stage_word WHERE (portal_status = 'cancelled') <> (shop_status = 'cancelled')
ORDER BY checkout_page_id, subscription_id;

INSERT INTO order_history (order_id, checkout_page_id, kind, text, source)
SELECT shop_order_id, checkout_page_id, 'subscription',
    'Auto-renewal has been ' || CASE WHEN shop_status = 'cancelled' THEN 'deactivated' ELSE 'activated' END
    || ' by the shop: subscription ' || subscription_id || '. Its document of '
    || to_char(shop_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC is later than what was decided here', 'portal'
FROM stage_word WHERE (portal_status = 'cancelled') <> (shop_status = 'cancelled')
ORDER BY checkout_page_id, subscription_id;
