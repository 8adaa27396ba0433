CREATE OR REPLACE FUNCTION public.customer_order(key uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT jsonb_build_object(
        'order_name', o.order_name, 'status', o.status, 'delivered', o.delivered, 'refund_status', o.refund_status,
        'created_at', o.created_at, 'paid_at', o.paid_at, 'currency', o.currency, 'total', o.total::text,
        'time_zone', (SELECT p.time_zone FROM checkout_page p WHERE p.id = o.checkout_page_id),
        'items', (SELECT jsonb_agg(jsonb_build_object(
                'position', i.position, 'name', i.name, 'quantity', i.quantity, 'amount', i.amount::text,
                'delivered', i.delivered, 'refunded', i.refunded,
                'codes', CASE WHEN o.status = 'paid' THEN coalesce((SELECT jsonb_agg(c.code ORDER BY c.number)
                    FROM activation_code c WHERE c.order_id = o.order_id AND c.position = i.position
                        AND NOT c.deleted), '[]') ELSE '[]' END) ORDER BY i.position)
            FROM order_item i WHERE i.order_id = o.order_id),
        'documents', coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'kind', d.kind)
                ORDER BY d.id) FROM order_document d WHERE d.order_id = o.order_id), '[]'))
    FROM orders o WHERE o.page_key = key AND NOT o.customer_erased
$function$;
