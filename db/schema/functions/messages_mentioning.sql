CREATE OR REPLACE FUNCTION public.messages_mentioning(emails text[], numbers text[], wide boolean, of_store integer)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY
    SELECT i.id FROM inbox i
        LEFT JOIN connection c ON c.id = i.connection_id LEFT JOIN orders o ON o.order_id = i.order_id
    WHERE i.body IS NOT NULL AND (of_store IS NULL OR coalesce(c.checkout_page_id, o.checkout_page_id) = of_store)
        AND may_mention(readable_body(i.body), emails, numbers, wide);
END $function$;
