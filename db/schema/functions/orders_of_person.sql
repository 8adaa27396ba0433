CREATE OR REPLACE FUNCTION public.orders_of_person(wanted text)
 RETURNS TABLE(order_id bigint, part text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY
    SELECT found.order_id, min(found.part) FROM (
        SELECT o.order_id, 'customer' AS part FROM orders o WHERE o.email_key = email_key(wanted)
        UNION ALL
        SELECT i.order_id, 'licence user' FROM order_item i WHERE email_key(i.license_email) = email_key(wanted)
        UNION ALL
        SELECT k.order_id, 'past e-mail' FROM digests_of(ARRAY['email'], ARRAY[wanted]) d
            JOIN known_value k ON k.digest = d.digest AND k.kind = d.kind AND NOT k.erased
    ) found
    GROUP BY found.order_id;
END $function$;
