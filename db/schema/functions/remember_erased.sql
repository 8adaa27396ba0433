CREATE OR REPLACE FUNCTION public.remember_erased(of_orders bigint[], kinds text[], texts text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM check_may_erase();
    INSERT INTO known_value (order_id, kind, words, digest, erased)
    SELECT DISTINCT o.order_id, d.kind, d.words, d.digest, true
    FROM orders o, digests_of(kinds, texts) d WHERE o.order_id = ANY (of_orders)
    ON CONFLICT ON CONSTRAINT known_value_pkey DO UPDATE SET erased = true;
    UPDATE known_value k SET erased = true FROM digests_of(kinds, texts) d
    WHERE k.order_id = ANY (of_orders) AND k.digest = d.digest AND NOT k.erased;
END $function$;
