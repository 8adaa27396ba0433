CREATE OR REPLACE FUNCTION public.waiting_licence_mails(of_orders bigint[])
 RETURNS TABLE(order_id bigint, "position" integer, number integer, queued_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT order_id, "position", number, max(queued_at) FROM mail
    WHERE order_id = ANY (of_orders) AND kind = 'licence' AND state = 'queued'
        AND checkout_page_id = ANY (viewer_page_ids())
    GROUP BY order_id, "position", number
$function$;
