CREATE OR REPLACE FUNCTION public.messages_of_person(of_orders bigint[], ids bigint[])
 RETURNS TABLE(id bigint, order_id bigint, waits boolean, body bytea)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT i.id, i.order_id, i.state = 'waiting', i.body FROM inbox i
    WHERE i.body IS NOT NULL AND (i.order_id = ANY (of_orders) OR i.id = ANY (ids)) ORDER BY i.id;
END $function$;
