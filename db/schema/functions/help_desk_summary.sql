CREATE OR REPLACE FUNCTION public.help_desk_summary(integer, text[])
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
$function$;
