CREATE OR REPLACE FUNCTION public.known_sizes(of_orders bigint[], of_erased boolean)
 RETURNS TABLE(order_id bigint, kind text, words smallint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT DISTINCT k.order_id, k.kind, k.words FROM known_value k
        WHERE k.order_id = ANY (of_orders) AND k.erased = of_erased;
END $function$;
