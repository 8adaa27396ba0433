CREATE OR REPLACE FUNCTION public.holds_erased(of_order bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    SELECT EXISTS (SELECT FROM orders o WHERE o.order_id = of_order AND o.customer_erased)
        OR EXISTS (SELECT FROM order_item i WHERE i.order_id = of_order AND i.license_erased)
        OR EXISTS (SELECT FROM known_value k WHERE k.order_id = of_order AND k.erased)
$function$;
