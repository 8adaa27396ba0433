-- Before anything is removed: what the portal has decided of the batch's subscriptions goes along with their items, also
-- into orders that are new. Whether it still counts is found out when every word is in (import_words_after.sql).

UPDATE stage_subscription s
SET status = w.status, changed_at = w.changed_at, changed_by = w.changed_by, change_reason = w.change_reason
FROM (
    SELECT DISTINCT ON (b.checkout_page_id, b.subscription_id) b.checkout_page_id, b.subscription_id, b.status,
        b.changed_at, b.changed_by, b.change_reason
    FROM (SELECT DISTINCT checkout_page_id, subscription_id FROM stage_subscription) t
    JOIN subscription b USING (checkout_page_id, subscription_id)
    WHERE b.changed_at IS NOT NULL
    ORDER BY b.checkout_page_id, b.subscription_id, b.changed_at DESC
) w
WHERE w.checkout_page_id = s.checkout_page_id AND w.subscription_id = s.subscription_id;
