CREATE OR REPLACE FUNCTION public.refresh_order_summary(changed bigint[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
$function$;
