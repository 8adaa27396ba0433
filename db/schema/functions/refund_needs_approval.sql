CREATE OR REPLACE FUNCTION public.refund_needs_approval(of_order bigint, in_currency text, asked numeric)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT p.refund_approval_limits IS NOT NULL AND asked + coalesce((SELECT sum(r.amount) FROM refund_request r
            WHERE r.order_id = of_order AND r.status = 'completed' AND r.currency = in_currency), 0)
        > coalesce((p.refund_approval_limits ->> in_currency)::numeric, (p.refund_approval_limits ->> '*')::numeric, 0)
    FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id
    WHERE o.order_id = of_order AND (viewer_id() IS NULL OR o.checkout_page_id = ANY (viewer_page_ids()))
$function$;
