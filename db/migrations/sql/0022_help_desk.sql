-- What a help desk is told of a customer: the one way in which its connections read orders.

-- $1 is the store, $2 the keys of the customer's e-mails (`email_key`). No activation codes, no payment, no addresses.
CREATE FUNCTION help_desk_summary(integer, text[]) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH found AS MATERIALIZED (
        SELECT order_id, order_name, status, delivered, refund_status, created_at, paid_at, currency, total,
            first_name, last_name, company_name, active_subscription
        FROM orders WHERE checkout_page_id = $1 AND email_key = ANY ($2)
    ), named AS (
        SELECT first_name, last_name, company_name FROM found
        WHERE coalesce(first_name, last_name, company_name) IS NOT NULL ORDER BY created_at DESC, order_id DESC LIMIT 1
    ), running AS (
        SELECT DISTINCT ON (s.subscription_id) s.subscription_id, i.name AS product, f.order_id, f.order_name,
            CASE WHEN s.next_renewal_at < '9999-01-01' THEN s.next_renewal_at END AS next_renewal_at  -- else never
        FROM found f
        JOIN subscription s ON s.order_id = f.order_id AND s.type IN ('AR', 'PMR') AND s.status <> 'cancelled'
        JOIN order_item i ON i.order_id = s.order_id AND i.position = s.position
        WHERE f.active_subscription
            AND (f.paid_at IS NOT NULL OR s.parent_order_id IS NOT NULL AND s.parent_order_id <> f.order_id)
        ORDER BY s.subscription_id, f.created_at DESC, f.order_id DESC
    )
    SELECT jsonb_build_object(
        'orders', (SELECT count(*) FROM found),
        'name', (SELECT nullif(concat_ws(' ', first_name, last_name), '') FROM named),
        'company', (SELECT company_name FROM named),
        'time_zone', (SELECT time_zone FROM checkout_page WHERE id = $1),
        'totals', (SELECT coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'orders', number,
                'amount', amount::text) ORDER BY number DESC, currency), '[]')
            FROM (SELECT currency, count(*) AS number, sum(total) AS amount FROM found WHERE status = 'paid'
                GROUP BY currency) paid),
        'newest', (SELECT coalesce(jsonb_agg(jsonb_build_object('order_id', order_id, 'order_name', order_name,
                'status', status, 'delivered', delivered, 'refund_status', refund_status, 'created_at', created_at,
                'currency', currency, 'total', total::text) ORDER BY created_at DESC, order_id DESC), '[]')
            FROM (SELECT * FROM found ORDER BY created_at DESC, order_id DESC LIMIT 5) newest),
        'renewals', (SELECT count(*) FROM running),
        'next_renewals', (SELECT coalesce(jsonb_agg(to_jsonb(next) ORDER BY next.next_renewal_at, next.subscription_id),
                '[]')
            FROM (SELECT * FROM running ORDER BY next_renewal_at, subscription_id LIMIT 5) next),
        'refunds', (SELECT coalesce(jsonb_agg(jsonb_build_object('order_id', open.order_id,
                'order_name', open.order_name, 'status', open.status, 'requested_at', open.requested_at)
                ORDER BY open.requested_at DESC), '[]')
            FROM (SELECT f.order_id, f.order_name, r.status, r.requested_at FROM found f
                JOIN refund_request r ON r.order_id = f.order_id AND r.status IN ('requested', 'updating')
                WHERE f.refund_status IN ('requested', 'updating') ORDER BY r.requested_at DESC LIMIT 5) open))
$$;

-- The summary for a connection, recorded in the audit log: which orders were shown, and never for which e-mail. The
-- connection names the store, so that no caller can ask for another one's.
CREATE FUNCTION help_desk_customer(for_connection integer, email_keys text[], from_address text) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    store integer;
    told jsonb;
BEGIN
    SELECT checkout_page_id INTO store FROM connection
    WHERE id = for_connection AND kind = 'help desk' AND switched_off_at IS NULL;
    IF store IS NULL THEN
        RAISE EXCEPTION 'no help desk' USING ERRCODE = 'insufficient_privilege';
    END IF;
    told := help_desk_summary(store, email_keys);
    INSERT INTO audit_log (action, address, details)
    VALUES ('help desk look-up', left(from_address, 100), jsonb_build_object('connection', for_connection,
        'e-mails', cardinality(email_keys), 'found', told -> 'orders',
        'shown', jsonb_path_query_array(told, '$.newest[*].order_id')));
    -- At most once a second, and without waiting for anybody.
    UPDATE connection SET last_received_at = now() WHERE id IN (
        SELECT id FROM connection WHERE id = for_connection
            AND coalesce(last_received_at < now() - interval '1 second', true) FOR UPDATE SKIP LOCKED);
    RETURN told;
END $$;

REVOKE ALL ON FUNCTION help_desk_summary(integer, text[]), help_desk_customer(integer, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION help_desk_summary(integer, text[]), help_desk_customer(integer, text[], text) TO esupport_jobs;
