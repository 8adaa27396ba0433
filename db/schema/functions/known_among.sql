CREATE OR REPLACE FUNCTION public.known_among(of_orders bigint[], of_erased boolean, kinds text[], texts text[])
 RETURNS TABLE(order_id bigint, "position" integer, kind text, value text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT DISTINCT k.order_id, k.position, d.kind, d.value
        FROM digests_of(kinds, texts) d JOIN known_value k ON k.digest = d.digest AND k.kind = d.kind
        WHERE k.order_id = ANY (of_orders) AND k.erased = of_erased;
END $function$;
