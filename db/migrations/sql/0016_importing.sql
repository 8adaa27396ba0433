-- What shops export: returns, coupons, items without IDs, renewals that never come; and imports that do not wait for each
-- other. The constraints are checked against the rows that are there in a second step, without a lock that searches
-- would have to wait for (versions/0016_importing.py); so all of this must be able to run twice.

-- A time that no driver can read, or only in some time zones, hides the whole order.
UPDATE subscription SET next_renewal_at = '9999-12-31 00:00:00+00' WHERE next_renewal_at > '9999-12-31 00:00:00+00';
UPDATE subscription SET next_renewal_at = NULL WHERE next_renewal_at < '0001-01-02 00:00:00+00';

-- What an import works on, for as long as its transaction lasts: orders, and subscriptions as negative numbers. No row is
-- ever committed, so the table need not survive a crash.
CREATE UNLOGGED TABLE IF NOT EXISTS import_claim (key bigint PRIMARY KEY);
ALTER TABLE import_claim ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS jobs ON import_claim;
CREATE POLICY jobs ON import_claim TO esupport_jobs USING (true) WITH CHECK (true);
REVOKE ALL ON import_claim FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON import_claim TO esupport_jobs;

-- NULL: the shop gave the item no id. Version 0.1.0 stored the item's position then. Such a value may just as well be an
-- id that the shop gave, so it stays, and is believed only where the lines are alike besides (services/order_items.py).
ALTER TABLE order_item ALTER COLUMN item_id DROP NOT NULL;

-- What the order's own document says of the subscription; `status` is what counts. NULL in rows that are older: the same.
ALTER TABLE subscription ADD COLUMN IF NOT EXISTS said_status text;

ALTER TABLE subscription
    DROP CONSTRAINT IF EXISTS subscription_said_status_check,
    ADD CONSTRAINT subscription_said_status_check
        CHECK (said_status IN ('active', 'not paid', 'cancelled')) NOT VALID,
    DROP CONSTRAINT IF EXISTS subscription_next_renewal_at_check,
    ADD CONSTRAINT subscription_next_renewal_at_check
        CHECK (next_renewal_at BETWEEN '0001-01-02 00:00:00+00' AND '9999-12-31 00:00:00+00') NOT VALID;

-- `document`: the shop's later word has set the portal's aside.
ALTER TABLE subscription_event
    DROP CONSTRAINT IF EXISTS subscription_event_action_check,
    ADD CONSTRAINT subscription_event_action_check
        CHECK (action IN ('cancel', 'resume', 'stop', 'document')) NOT VALID;

-- A line with an amount below zero is a discount or a return.
ALTER TABLE order_item
    DROP CONSTRAINT IF EXISTS order_item_price_check,
    DROP CONSTRAINT IF EXISTS order_item_amount_check,
    DROP CONSTRAINT IF EXISTS order_item_discount_amount_check,
    DROP CONSTRAINT IF EXISTS order_item_vat_amount_check,
    DROP CONSTRAINT IF EXISTS order_item_below_zero_check,
    ADD CONSTRAINT order_item_price_check CHECK (price > -1e15 AND price < 1e15) NOT VALID,
    ADD CONSTRAINT order_item_amount_check CHECK (amount > -1e15 AND amount < 1e15) NOT VALID,
    ADD CONSTRAINT order_item_below_zero_check
        CHECK (amount < 0 OR price >= 0 AND coalesce(discount_amount, 0) >= 0 AND coalesce(vat_amount, 0) >= 0) NOT VALID;
ALTER TABLE orders
    DROP CONSTRAINT IF EXISTS orders_total_check,
    ADD CONSTRAINT orders_total_check CHECK (total > -1e15 AND total < 1e15) NOT VALID;

-- As before; but a discount or a return is nothing that could be delivered, unless there is nothing else in the order.
CREATE OR REPLACE FUNCTION refresh_order_summary(changed bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH summary AS (
        SELECT o.order_id,
            coalesce((SELECT coalesce(bool_and(i.delivered) FILTER (WHERE i.amount >= 0), bool_and(i.delivered))
                FROM order_item i WHERE i.order_id = o.order_id), false) AS delivered,
            coalesce(s.active, false) AS active, coalesce(s.cancelled, false) AS cancelled
        FROM orders o
        LEFT JOIN LATERAL (
            SELECT bool_or(s.status <> 'cancelled') AS active, bool_or(s.status = 'cancelled') AS cancelled
            FROM subscription s
            WHERE s.order_id = o.order_id AND s.type IN ('AR', 'PMR')
                AND (o.paid_at IS NOT NULL OR s.parent_order_id IS NOT NULL AND s.parent_order_id <> o.order_id)
        ) s ON true
        WHERE o.order_id = ANY (changed)
    )
    UPDATE orders o
    SET delivered = summary.delivered, active_subscription = summary.active, cancelled_subscription = summary.cancelled
    FROM summary
    WHERE o.order_id = summary.order_id
        AND (o.delivered, o.active_subscription, o.cancelled_subscription)
            IS DISTINCT FROM (summary.delivered, summary.active, summary.cancelled)
$$;

-- The same rule as services/web_addresses.py; a test compares them.
CREATE OR REPLACE FUNCTION is_web_address(address text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT address ~ ('^https?://(\[[0-9A-Fa-f:.]+\]|[^\s.:/?#@\[\]\\%<>"^`{|}][^\s:/?#@\[\]\\%<>"^`{|}]*)'
            || '(:[0-9]{0,5})?([/?#].*)?$')
        AND address !~ ('[\u0001-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f'
            || '\u205f-\u206f\u3000\ufeff\ufff9-\ufffb<>"\\]')
        AND (address ~ '^https?://\[' OR normalize(substring(address FROM '^https?://([^:/?#]*)'), NFKC)
            !~ '[\s/?#@\[\]\\%<>"^`{|}:]')
$$;
REVOKE ALL ON FUNCTION is_web_address(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_web_address(text) TO esupport_app, esupport_jobs;

-- A constraint would also refuse every other change of an order that has had a worse address since before; so addresses
-- are looked at when they are written.
CREATE OR REPLACE FUNCTION refuse_web_address() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'detail_url is not a web address that may become a link'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_detail_url_check', TABLE = 'orders';
END $$;
REVOKE ALL ON FUNCTION refuse_web_address() FROM PUBLIC;
DROP TRIGGER IF EXISTS orders_detail_url_inserted ON orders;
CREATE TRIGGER orders_detail_url_inserted BEFORE INSERT ON orders FOR EACH ROW
    WHEN (NEW.detail_url IS NOT NULL AND NOT is_web_address(NEW.detail_url)) EXECUTE FUNCTION refuse_web_address();
DROP TRIGGER IF EXISTS orders_detail_url_updated ON orders;
CREATE TRIGGER orders_detail_url_updated BEFORE UPDATE OF detail_url ON orders FOR EACH ROW
    WHEN (NEW.detail_url IS DISTINCT FROM OLD.detail_url AND NEW.detail_url IS NOT NULL
        AND NOT is_web_address(NEW.detail_url)) EXECUTE FUNCTION refuse_web_address();

-- Until now a renewal order that was dated before a change by the portal could contradict it. The portal's last word
-- counts for every order of the subscription, unless one of them has had a document since: then the next word decides.
WITH word AS (
    SELECT DISTINCT ON (checkout_page_id, subscription_id)
        checkout_page_id, subscription_id, status, changed_at, changed_by, change_reason
    FROM subscription WHERE changed_at IS NOT NULL
    ORDER BY checkout_page_id, subscription_id, changed_at DESC
), settled AS (
    SELECT w.* FROM word w
    WHERE NOT EXISTS (SELECT FROM subscription s JOIN orders o USING (order_id)
        WHERE s.checkout_page_id = w.checkout_page_id AND s.subscription_id = w.subscription_id
            AND coalesce(o.source_updated_at, greatest(o.created_at, o.paid_at)) > w.changed_at)
)
UPDATE subscription s
SET said_status = coalesce(s.said_status, s.status), status = w.status, changed_at = w.changed_at,
    changed_by = w.changed_by, change_reason = w.change_reason
FROM settled w
WHERE s.checkout_page_id = w.checkout_page_id AND s.subscription_id = w.subscription_id AND s.status <> w.status
    AND s.type IN ('AR', 'PMR');
